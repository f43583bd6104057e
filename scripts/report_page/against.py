"""GPU against GPU, in sentences: what two machines' newest results differ by, and what they do not.

Two machines were never measured in the same visits, so this is of seconds, and of the wider margin
that two runs have (reading/intervals.py).
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy
import pandas

from scripts.reading import intervals
from scripts.reading.results_file import OLDER
from scripts.words.formats import as_percent, day, duration, percent, rate, size
from scripts.words.vocabulary import DTYPE, MEMORY, SMALL

OPERATION = "existing_array"
NEEDED = [
    *("machine", "measured", "method", "memory", "nbytes"),
    *("seconds", "gb_per_s", "log_sd", "processes", "degrees_of_freedom"),
]


def told(latest: pandas.DataFrame) -> dict[str, list[str]]:
    """{machine: a sentence for each other machine}, of the newest result of each."""
    chosen = latest["operation"].eq(OPERATION) & latest["status"].eq("ok")
    rows = latest.loc[chosen & latest["dtype"].eq(DTYPE), NEEDED]
    each = {str(name): run for name, run in rows.groupby("machine", observed=True)}
    found = defaultdict(list)
    for one, other in itertools.permutations(each, 2):
        found[one].append(sentence(each[one], each[other]))
    return found


def older(left_out: Iterable[str], machines: Iterable[str]) -> list[str]:
    """The machines that are not among `machines` since what they have is of an older version."""
    return sorted({line.split("/")[0] for line in left_out if line.endswith(OLDER)} - {*machines})


def sentence(one: pandas.DataFrame, other: pandas.DataFrame) -> str:
    """'A (measured 2026-11-26) against B (...): pinned 256 MiB 54.8 and 55.0 GB/s, ...'"""
    keys = ["method", "memory", "nbytes"]
    both = one.merge(other, on=keys, suffixes=("_one", "_other"))
    parts = []
    for memory, last in itertools.product(MEMORY, (True, False)):
        rows = both[both["memory"].eq(memory)]
        rows = rows[rows["nbytes"].gt(SMALL) if last else rows["nbytes"].le(SMALL)]
        if len(rows):
            nbytes = rows["nbytes"].max() if last else rows["nbytes"].min()
            parts.append(part(rows[rows["nbytes"].eq(nbytes)]))
    names = " against ".join(map(name, (one, other)))
    return f"{names}: {'; '.join(parts) or 'they have no point in common'}."


def name(run: pandas.DataFrame) -> str:
    first = run.iloc[0]
    return f"{first['machine']} (measured {day(run['measured'].max())})"


def part(rows: pandas.DataFrame) -> str:
    """One size, by the method that takes the least time on both together."""
    seconds = rows[["seconds_one", "seconds_other"]]
    row = rows.loc[numpy.log(seconds).sum(axis=1).idxmin()]
    one, other = (of(row, side) for side in ("_one", "_other"))
    number = rate if row["nbytes"] > SMALL else duration
    column = "gb_per_s" if row["nbytes"] > SMALL else "seconds"
    texts = " and ".join(number(row[f"{column}{side}"]) for side in ("_one", "_other"))
    unit = " GB/s" if row["nbytes"] > SMALL else ""
    return (
        f"{size(row['nbytes'])} {row['memory']} with {row['method']} {texts}{unit} "
        f"({differ(one, other)})"
    )


def of(row: pandas.Series, side: str) -> Mapping[str, float]:
    columns = "seconds", "log_sd", "processes", "degrees_of_freedom"
    return {column: row[f"{column}{side}"] for column in columns}


def differ(one: Mapping[str, float], other: Mapping[str, float]) -> str:
    """'cannot be told apart below 8.1 %', or by how much the first takes longer, or shorter."""
    if not intervals.differ(one, other, same_run=False):
        least = float(as_percent(intervals.margin(one, other, same_run=False)))
        return "cannot be told apart" + f" below {percent(least)}" * (least == least)
    ratio = one["seconds"] / other["seconds"]
    if ratio > 1:
        return f"the first takes {percent(100 * (ratio - 1))} longer"
    return f"the second takes {percent(100 * (1 / ratio - 1))} longer"
