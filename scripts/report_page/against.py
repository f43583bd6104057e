"""GPU against GPU, in sentences: what two machines' newest results differ by, and what they do not.

Two machines were never measured in the same visits, so this is of seconds, and of the wider margin
that two runs have (reading/intervals.py).
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import pandas

from scripts.answers import standings
from scripts.reading import intervals
from scripts.reading.results_file import OLDER
from scripts.words.formats import as_percent, day, duration, percent, rate, size
from scripts.words.vocabulary import DTYPE, MEMORY, SMALL

OPERATION = "existing_array"
Row = Mapping[str, Any]  # of points.py's table
Rows = dict[int, dict[str, dict[str, Any]]]  # by size and method
Machine = tuple[str, dict[str, Rows]]  # which one, measured when; its rows by memory


def told(latest: pandas.DataFrame) -> dict[str, list[str]]:
    """{machine: a sentence for each other machine}, of the newest result of each."""
    chosen = latest["operation"].eq(OPERATION) & latest["status"].eq("ok")
    rows = latest[chosen & latest["dtype"].eq(DTYPE)]
    each = {str(machine): of(run) for machine, run in rows.groupby("machine", observed=True)}
    found = defaultdict(list)
    for one, other in itertools.permutations(each, 2):
        found[one].append(sentence(each[one], each[other]))
    return found


def of(run: pandas.DataFrame) -> Machine:
    words = f"{run['machine'].iloc[0]} (measured {day(run['measured'].max())})"
    return words, {
        memory: {found.nbytes: found.rows for found in standings.of(run, OPERATION, memory)}
        for memory in MEMORY
    }


def older(left_out: Iterable[str], machines: Iterable[str]) -> list[str]:
    """The machines that are not among `machines` since what they have is of an older version."""
    return sorted({line.split("/")[0] for line in left_out if line.endswith(OLDER)} - {*machines})


def sentence(one: Machine, other: Machine) -> str:
    """'A (measured 2026-11-26) against B (...): pinned 256 MiB 54.8 and 55.0 GB/s, ...'"""
    parts = []
    for memory in MEMORY:
        ours, theirs = one[1][memory], other[1][memory]
        both = [nbytes for nbytes in ours if ours[nbytes].keys() & theirs.get(nbytes, {}).keys()]
        large = [nbytes for nbytes in both if nbytes > SMALL]
        small = [nbytes for nbytes in both if nbytes <= SMALL]
        for nbytes in large[-1:] + small[:1]:
            parts.append(f"{size(nbytes)} {memory} {part(ours[nbytes], theirs[nbytes])}")
    return f"{one[0]} against {other[0]}: {'; '.join(parts) or 'they have no point in common'}."


def part(ours: Mapping[str, Row], theirs: Mapping[str, Row]) -> str:
    """One size, by the method that takes the least time on both together."""
    pairs = [(ours[name], theirs[name]) for name in ours if name in theirs]
    one, other = min(pairs, key=lambda pair: pair[0]["seconds"] * pair[1]["seconds"])
    if one["nbytes"] > SMALL:
        texts = " and ".join(rate(row["gb_per_s"]) for row in (one, other)) + " GB/s"
    else:
        texts = " and ".join(duration(row["seconds"]) for row in (one, other))
    return f"with {one['method']} {texts} ({differ(one, other)})"


def differ(one: Row, other: Row) -> str:
    """'cannot be told apart below 8.1 %', or by how much the first takes longer, or shorter."""
    if not intervals.differ(one, other, same_run=False):
        least = float(as_percent(intervals.margin(one, other, same_run=False)))
        return "cannot be told apart" + f" below {percent(least)}" * (least == least)
    ratio = one["seconds"] / other["seconds"]
    if ratio > 1:
        return f"the first takes {percent(100 * (ratio - 1))} longer"
    return f"the second takes {percent(100 * (1 / ratio - 1))} longer"
