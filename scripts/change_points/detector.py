"""Where the series of one family step: asv's step detection, and what it must satisfy besides.

A family is the series of one method, direction and kind of memory (families.py). asv's detection
cuts what they have in common. On its own it makes every one of three to six commits a step. So a
step must also be more than two runs of the same thing differ by (thresholds.unchanged) and hold for
two commits on either side: a single outlying commit is none, and the newest, or the oldest, is a
candidate at most. And several series must move together (SHARE), since of hundreds a few cross that
line by chance.
"""

import collections
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy
from asv.step_detect import detect_steps
from numpy import ndarray
from pandas import DataFrame

from scripts.reading import intervals

FEWEST = 3  # commits of a series: the newest of three can be a candidate, four can tell
COMMON = (), (0, 1), (2,)  # series with these of (operation, nbytes, dtype) are cut together
SHARE = 0.1  # of a family's series, two at least, that must move
SHARE_ALONE = 0.25  # the same for a candidate, whose one result is that much less certain


@dataclass(eq=False)
class Step:
    """One series' step by `size`, a difference of logarithms."""

    series: tuple[str, int, str]  # operation, nbytes, dtype
    before: int  # place of the last commit before it, and of the first one after it
    place: int
    size: float
    least: float  # what it is above: two runs of the same thing differ by that
    sides: tuple[int, int]  # how many commits its two levels are the medians of
    alone: bool  # it is of the series' newest commit alone, or of its oldest
    off: dict[int, float]  # {place: how far the series' result is from its level}


def find(logs: DataFrame, least: Iterable[float], by_ratio: bool = False) -> list[Step]:
    """Every series' steps. `logs` is a table of logarithms: a row a series (operation, nbytes,
    dtype), a column a place, NaN where it was not measured; `least` has of each series the
    logarithm that a step is above.

    It is cut where asv cuts what it has in common with others. That the newest commits are others
    asv sees late, so there it is always asked; and at the oldest one if they are ratios, which do
    not drift.
    """
    common, found = cuts_in_common(logs), []
    for series, values, bound in zip(logs.index, logs.to_numpy(), least, strict=True):
        there = ~numpy.isnan(values)
        values, places = values[there], logs.columns.to_numpy()[there]
        if len(values) < FEWEST or numpy.ptp(values) <= bound:  # no step can be that high
            continue
        edges = {*numpy.searchsorted(places, sorted(common[series]))}
        edges |= {len(values) - 2, len(values) - 1} | ({1} if by_ratio else set())
        kept, ends = pruned(values, edges, bound, by_ratio)
        values, places = values[kept], places[kept]
        counts = numpy.diff(ends)
        levels = numpy.array(medians(values, ends))
        off = dict(zip(places, values - numpy.repeat(levels, counts), strict=True))
        for number, edge in enumerate(ends[1:-1]):
            before, place = map(int, places[[edge - 1, edge]])
            size, sides = levels[number + 1] - levels[number], (counts[number], counts[number + 1])
            alone = 1 in (counts[0] * (number == 0), counts[-1] * (number == len(ends) - 3))
            found.append(Step(series, before, place, size, bound, sides, alone, off))
    return found


def cuts_in_common(logs: DataFrame) -> dict[Any, set[Any]]:
    """{series: the places where it is cut}: where asv cuts the median of all series, of the dtypes
    of its size, and of the sizes of its dtype. Together they show a step that one of them is too
    noisy to show; and a step of one series alone is no change."""
    logs = logs[logs.notna().sum(axis=1) >= FEWEST]
    values = logs.sub(logs.median(axis=1), axis=0).to_numpy()
    alike: dict[Any, list[int]] = collections.defaultdict(list)
    for row, series in enumerate(logs.index):
        for levels in COMMON:
            alike[levels, tuple(series[level] for level in levels)].append(row)
    found: dict[Any, set[Any]] = {series: set() for series in logs.index}
    for rows in {tuple(rows) for rows in alike.values()}:
        there = numpy.flatnonzero(~numpy.isnan(values[[*rows]]).all(axis=0))
        edges = cuts(numpy.nanmedian(values[[*rows]][:, there], axis=0))
        for series in logs.index[[*rows]]:
            found[series].update(logs.columns[there[[*edges]]])
    return found


def cuts(logs: Any) -> set[int]:
    """Where asv's detection cuts. It is given seconds, as everywhere in asv, in units of their
    median. Not their intervals as weights: those are of the processes of one run, and runs differ
    by more."""
    seconds = numpy.exp(logs - numpy.nanmedian(logs))
    return {step[0] for step in detect_steps(seconds.tolist())}


def medians(values: ndarray, edges: Sequence[int]) -> list[float]:
    return [median(values[a:b].tolist()) for a, b in itertools.pairwise(edges)]


def pruned(
    values: ndarray, edges: set[int], least: float, by_ratio: bool = False
) -> tuple[ndarray, list[int]]:
    """`edges` of `values` without those at which the medians of the two sides differ by at most
    `least`, and without outliers: values that are alone between two edges, the newest excepted and,
    of ratios, the oldest.

    The indices of the values that are kept, and the edges, from 0 to their number, among these.
    """
    kept, left = numpy.arange(len(values)), sorted({0, *edges, len(values)})
    while len(left) > 2:
        apart = numpy.abs(numpy.diff(medians(values[kept], left)))
        alone = by_ratio + numpy.flatnonzero(numpy.diff(left)[int(by_ratio) : -1] == 1)
        if apart.min() <= least:
            del left[1 + apart.argmin()]
        elif len(alone):
            outlier = left[alone[0]]
            kept = numpy.delete(kept, outlier)
            left = sorted({edge - (edge > outlier) for edge in left})
        else:
            break
    return kept, left


def is_candidate(members: Sequence[Step]) -> bool:
    """Whether most of the steps are of the newest commit alone, or of the oldest."""
    return bool(2 * sum(step.alone for step in members) > len(members))


def together(found: list[Step], logs: DataFrame) -> tuple[list[tuple[int, int, list[Step]]], int]:
    """The steps that are one change: (place, before, steps) each; and how many were left over.

    Noise moves a step to the commit beside it, and a series that was not measured at every commit
    shows it late: such a step goes with the others, to the place where most are.
    """
    judged = int((logs.notna().sum(axis=1) >= FEWEST).sum())
    changes, left = [], 0
    while found:
        votes = collections.Counter((step.place, step.size > 0) for step in found)
        (place, slower), _ = votes.most_common(1)[0]
        members = [
            step
            for step in found
            if (step.size > 0) == slower and step.before <= place <= step.place + 1
        ]
        found = [step for step in found if step not in members]
        share = SHARE_ALONE if is_candidate(members) else SHARE
        if len(members) >= min(judged, max(2, share * judged)):
            before = collections.Counter(step.before for step in members if step.before < place)
            changes.append((place, before.most_common(1)[0][0], members))
        else:
            left += len(members)
    return changes, left


def size(members: Sequence[Step]) -> tuple[float, float, float]:
    """A change's size, the median over the steps, and the ends of its 99 % interval; logarithms.

    The interval is Student's t over commits, not over series or processes: those of one run share
    its noise. By how much a commit is off is the median, over the series, of how far its results
    are from their levels; its spread is taken from the whole history. To it comes what each series
    is off by itself, of which the median over them leaves little. A level is a median, whose
    variance is up to pi / 2 times a mean's. Short histories know little of their spread: the
    interval is never wider than `least`, about the most that two runs of one thing differ by.
    """
    middle = numpy.median([step.size for step in members])
    widest = numpy.median([step.least for step in members])
    at = collections.defaultdict(list)
    for step in members:
        for place, away in step.off.items():
            at[place].append(away)
    off = numpy.array([numpy.median(values) for values in at.values()])
    free = max(len(off) - 2, 1)
    sides = numpy.median([step.sides for step in members], axis=0)
    single = numpy.concatenate([[*step.off.values()] for step in members])
    own = (single**2).sum() / max(len(single) - 2 * len(members), 1) * numpy.pi / 2 / len(members)
    of_commit = (off**2).sum() / free + own
    spread = numpy.sqrt(of_commit * numpy.pi / 2 * (1 / sides).sum())
    half = min(intervals.quantile(free) * spread, widest)
    return middle, middle - half, middle + half
