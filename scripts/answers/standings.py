"""How the methods, or the ways, of each size stand: who is the fastest, who ties, by how much.

Of one result, of what its visits measured in turn. What cannot be told apart, at 99 %, is a tie,
and no one of it is the fastest.
"""

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from pandas import DataFrame

from scripts.reading import intervals, standing
from scripts.words.formats import as_percent, listed, size
from scripts.words.vocabulary import DTYPE

NEEDED = [
    *("method", "way", "nbytes", "seconds", "gb_per_s"),
    *("processes", "log_sd", "degrees_of_freedom"),
    *("visits", "relative", "relative_sd", "relative_df"),
]
Rows = dict[int, dict[str, Any]]  # of points.py's table, by size
Lines = dict[str, Rows]  # by method or way


@dataclass(frozen=True)
class Standing:
    """Of one size. `rows` has the table's row of each name; `best` are those of which none can be
    told to be faster, in the order in which they were measured, `others` {name: by how many per
    cent it takes longer than the fastest}, and `margin` the per cent from which on that is told;
    NaN where the noise is not known, and then nobody is the fastest.
    """

    nbytes: int
    rows: dict[str, dict[str, Any]]
    best: list[str]
    others: dict[str, float]
    margin: float

    @property
    def fastest(self) -> str | None:
        """The one that is told from all others, if there is one."""
        alone = len(self.best) == 1 and len(self.rows) > 1
        return self.best[0] if alone else None

    def took(self, name: str) -> float:
        return float(self.rows[name]["seconds"])

    def gain(self, slow: str, fast: str) -> float:
        """How many times as fast as `slow` the other one is; 0 if that is not told, or one of the
        two was not measured."""
        if not {slow, fast} <= self.rows.keys():
            return 0
        one, other = self.rows[slow], self.rows[fast]
        if not any(math.isnan(row["relative"]) for row in self.rows.values()):
            longer, margin = one["relative"] - other["relative"], standing.margin(one)
        else:
            longer = math.log(one["seconds"] / other["seconds"])
            margin = intervals.margin(one, other)
        return math.exp(longer) if longer > margin else 0


def of_sizes(rows: DataFrame) -> list[Standing]:
    """Of `rows`, one a size and `name`, whose `place` is the order they were measured in."""
    told = standing.of_methods(rows, ["nbytes"])
    found = []
    for nbytes, same in itertools.groupby(told.to_dict("records"), itemgetter("nbytes")):
        fastest_first = [*same]
        measured = sorted(fastest_first, key=itemgetter("place"))
        others = {row["name"]: as_percent(row["cost"]) for row in fastest_first if row["apart"]}
        found.append(
            Standing(
                nbytes=int(nbytes),
                rows={row["name"]: row for row in measured},
                best=[row["name"] for row in measured if not row["apart"]],
                others=others,
                margin=as_percent(max(row["margin"] for row in measured)),
            )
        )
    return found


def of(run: DataFrame, operation: str, memory: str | None = None) -> list[Standing]:
    """Of each size of `operation` that the result `run` has measured, with float32 or as bytes.

    What knows neither methods nor ways, as the link, has the operation's name.
    """
    chosen = run["operation"].eq(operation) & run["status"].eq("ok") & run["nbytes"].notna()
    chosen &= run["dtype"].isna() | run["dtype"].eq(DTYPE)
    if memory:
        chosen &= run["memory"].eq(memory)
    kinds = {"method": object, "way": object, "processes": float, "visits": float}
    rows = run.loc[chosen, NEEDED].astype(kinds)
    names = rows["method"].combine_first(rows["way"]).fillna(operation)
    return of_sizes(rows.assign(name=names, place=range(len(rows))))


def without(found: Iterable[Standing], *names: str) -> list[Standing]:
    """The same of the others alone, of the sizes that have any."""
    kept = [row for one in found for name, row in one.rows.items() if name not in names]
    return of_sizes(DataFrame(kept)) if kept else []


def by_name(found: Iterable[Standing]) -> Lines:
    """{name: {size: its row}}, in the order they were measured in."""
    rows = [row for one in found for row in one.rows.values()]
    lines: Lines = {}
    for row in sorted(rows, key=itemgetter("place")):
        lines.setdefault(row["name"], {})[int(row["nbytes"])] = row
    return lines


def ranges(
    found: Iterable[Standing], alike: Callable[[Standing], Any]
) -> list[tuple[Any, list[Standing]]]:
    """Neighbouring sizes that are alike: in what, and they."""
    return [(what, list(same)) for what, same in itertools.groupby(found, alike)]


def sizes(found: Sequence[Standing]) -> str:
    """'1 KiB to 64 KiB'"""
    return " to ".join(dict.fromkeys(size(found[at].nbytes) for at in (0, -1)))


def at(found: Sequence[Standing]) -> str:
    """'from 1 KiB to 64 KiB', 'at 4 MiB'"""
    return f"{'from' if len(found) > 1 else 'at'} {sizes(found)}"


def where(found: Sequence[Standing], chosen: Collection[int]) -> str:
    """At which of the sizes `found` it is as at those `chosen`, in words."""
    return listed(at(same) for yes, same in ranges(found, lambda one: one.nbytes in chosen) if yes)
