"""What the page's form about one array answers from: how each size's methods, or ways, stand."""

from collections.abc import Iterable
from typing import Any

from pandas import DataFrame

from scripts.answers import paying, standings, ways
from scripts.answers.standings import Standing
from scripts.words.vocabulary import MEMORY

OPERATIONS = {  # by what the form asks: direction, and into what
    ("there", "existing"): "existing_array",
    ("there", "new"): "new_array",
    ("back", "existing"): "existing_host_array",
    ("back", "new"): "new_host_array",
}


def cases(run: DataFrame) -> list[dict[str, Any]]:
    """What the form can ask of the result `run`, each with its `sizes`."""
    found = [
        {
            "direction": direction,
            "into": into,
            "memory": memory,
            "sizes": [told(one) for one in standings.of(run, operation, memory)],
        }
        for (direction, into), operation in OPERATIONS.items()
        for memory in MEMORY
    ]
    sent = [one.without(paying.BEFOREHAND) for one in standings.of(run, ways.WARM)]
    ordinary = {"direction": "there", "into": "existing", "memory": "ordinary"}
    found.append({**ordinary, "sizes": [told(one) for one in sent]})
    return [case for case in found if case["sizes"]]


def told(one: Standing) -> dict[str, Any]:
    """A size: who is best, by how many per cent the others take longer, the seconds of each."""
    return {
        "nbytes": one.nbytes,
        "best": one.best,
        "others": rounded(one.others.items(), 3),
        "seconds": rounded(((name, one.seconds(name)) for name in one.rows), 5),
        "margin": None if one.margin != one.margin else float(f"{one.margin:.3g}"),
    }


def rounded(numbers: Iterable[tuple[str, float]], digits: int) -> dict[str, float]:
    return {name: float(f"{value:.{digits}g}") for name, value in numbers}
