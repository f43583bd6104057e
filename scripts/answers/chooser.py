"""What the report's form about one array answers from: which method, or way, at each measured size.

What is between two measured sizes, the form says from both; beyond them it cannot say.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from pandas import DataFrame

from scripts.answers import paying, standings
from scripts.answers.paying import BEFOREHAND
from scripts.answers.standings import Standing
from scripts.words.vocabulary import MEMORY

# (direction, into) as the form has them: the operation that answers.
INTO = {
    ("there", "existing"): "existing_array",
    ("there", "new"): "new_array",
    ("back", "existing"): "existing_host_array",
    ("back", "new"): "new_host_array",
}
SOURCE = {"in the CPU's caches as far as it fits": "ordinary_warm", "from memory": "ordinary_cold"}
Case = dict[str, Any]


def cases(run: DataFrame) -> list[Case]:
    """What the result `run` has measured, for json.dumps.

    Each case has what is asked (`direction`, `into`, `memory`, and of an ordinary array `source`),
    and `sizes`. A size has `nbytes`; `best`, those of which none is told to be faster than another;
    `fastest`, the one that is told from all others, or None; `seconds` of each; `others`, by how
    many per cent each takes longer, and `margin`, the per cent from which on that is told, None
    where nobody knows; `beforehand`, the seconds that each needs once, before. `locked` has, of an
    ordinary array, the seconds if it is page-locked, and after how many transfers that has paid.
    """
    found = [*of_transfers(run), *of_ordinary(run)]
    return [case for case in found if case["sizes"]]


def of_transfers(run: DataFrame) -> Iterator[Case]:
    for (direction, into), operation in INTO.items():
        for memory in MEMORY:
            before = {}
            if memory == "pinned":
                before = {name: paying.cost(run, "pin", name) for name in run["method"].unique()}
            sizes = [of_size(one, before) for one in standings.of(run, operation, memory)]
            yield {"direction": direction, "into": into, "memory": memory, "sizes": sizes}


def of_ordinary(run: DataFrame) -> Iterator[Case]:
    """`registered` is no way of an array that is ordinary when it is to be sent: it is apart."""
    buffer, pool = (paying.cost(run, "pin", name) for name in ("cuda-python", "torch"))
    before = {"staged": buffer, "pin-memory": pool}
    for source, operation in SOURCE.items():
        found = standings.of(run, operation)
        uses = paying.uses_to_pay(run, found)
        locked = {
            one.nbytes: {
                "seconds": rounded(one.took(BEFOREHAND)),
                "uses": uses.get(one.nbytes),
            }
            for one in found
            if BEFOREHAND in one.rows
        }
        sizes = [
            of_size(one, before) | {"locked": locked.get(one.nbytes)}
            for one in standings.without(found, BEFOREHAND)
        ]
        asked = {"direction": "there", "into": "existing", "memory": "ordinary", "source": source}
        yield {**asked, "sizes": sizes}


def of_size(one: Standing, before: Mapping[str, Mapping[int, float]]) -> dict[str, Any]:
    return {
        "nbytes": one.nbytes,
        "best": one.best,
        "fastest": one.fastest,
        "others": {name: rounded(cost) for name, cost in one.others.items()},
        "seconds": {name: rounded(one.took(name)) for name in one.rows},
        "margin": rounded(one.margin),
        "beforehand": {
            name: rounded(before[name][one.nbytes])
            for name in one.rows
            if one.nbytes in before.get(name, {})
        },
    }


def rounded(value: float | None) -> float | None:
    """With five digits, as JSON knows it: it has no NaN."""
    return None if value is None or math.isnan(value) else float(f"{value:.5g}")
