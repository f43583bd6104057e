"""How often the gate is wrong: the visits of a recorded calibration, replayed thousands of times.

Nothing changed between the two sides of a calibration, so which of a visit's processes was the
first side's is chance. A run that might as well have been is had by drawing visits and swapping the
two processes of some: each process's measurement stays whole, and an odd one as frequent as it was.
A run is judged as verdict.py judges; a slowdown is injected by adding its logarithm.
"""

from dataclasses import dataclass

import numpy
import pandas
from regression import verdict
from regression.pairs import SERIES

SLOWDOWNS = 0.02, 0.05, 0.1, 0.2, 0.5
AT_ONCE = 50  # runs in one array


def matrix(visits):
    """The series with the most visits, a row each, and their changes: an array, series x visits."""
    groups = visits.groupby([*SERIES, "kind"], sort=False)["change"]
    rows = groups.agg(list).reset_index(name="changes")
    length = rows["changes"].map(len)
    rows = rows[length.eq(length.max())].reset_index(drop=True)
    rows["scale"] = verdict.scale(rows["nbytes"])
    return rows.drop(columns="changes"), numpy.array(rows["changes"].tolist())


def draw(changes, runs, visits, random):
    """`runs` x series x `visits`: each visit as often as any other, its sides swapped or not."""
    times = -(-visits // changes.shape[1])
    drawn = numpy.tile(changes, (runs, 1, times))
    drawn = random.permuted(drawn, axis=2)[:, :, :visits]
    return drawn * random.choice([-1, 1], drawn.shape)


class Judge:
    """What verdict.judge does, of many runs of the same series at once."""

    def __init__(self, series):
        self.kinds = series["kind"]
        self.noise = list(series.groupby(verdict.NOISE, sort=False).indices.values())
        groups = series.groupby(verdict.FAMILY)
        members = [rows for rows in groups.indices.values() if len(rows) > 1]
        self.families = pandas.DataFrame(
            [series.loc[rows[0], verdict.FAMILY] for rows in members], columns=verdict.FAMILY
        ).reset_index(drop=True)
        self.member = numpy.zeros((len(series), len(members)))
        for place, rows in enumerate(members):
            self.member[rows, place] = 1

    def __call__(self, changes):
        """Change and bound of the series, and of the families: arrays, runs x rows."""
        visits = changes.shape[2]
        away = abs(changes - numpy.median(changes, axis=2, keepdims=True))
        away *= (visits / (visits - 1)) ** 0.5
        spread, free = numpy.empty(changes.shape[:2]), numpy.empty(len(self.kinds))
        for rows in self.noise:
            told = away[:, rows].reshape(len(changes), -1)
            spread[:, rows] = verdict.spread(told, axis=1)[:, None]
            free[rows] = len(rows) * (visits - 1)
        change, error = verdict.middle(changes, axis=2), verdict.error(spread, visits)
        weight = error**-2
        total = weight @ self.member
        tests = len(self.kinds) + len(self.families)
        bound = verdict.bound(error, free, tests, verdict.least(self.kinds, 0))
        return (change, bound), (
            (weight * change) @ self.member / total,
            verdict.bound(
                total**-0.5,
                free @ self.member,
                tests,
                verdict.least(self.families["kind"], 1),
            ),
        )


@dataclass
class Replay:
    """`needed`: of each run and series (then family), the least slowdown (logarithm) that is found
    when injected there alone; with `visits` a series (`once`), and as gate.py goes on (`twice`:
    twice as many where it is near). Not above zero: a false alarm."""

    series: pandas.DataFrame
    families: pandas.DataFrame
    visits: int
    once: tuple
    twice: tuple

    def false_alarms(self, needed):
        """In how many of the runs there is one."""
        return int((numpy.hstack(needed) <= 0).any(axis=1).sum())


def replay(visits, runs, count, seed=0):
    """`runs` runs of `count` visits a series, and twice as many, from a calibration's `visits`."""
    random = numpy.random.default_rng(seed)
    series, changes = matrix(visits)
    judge = Judge(series)
    once, twice = ([], []), ([], [])
    for begin in range(0, runs, AT_ONCE):
        drawn = draw(changes, min(AT_ONCE, runs - begin), 2 * count, random)
        looks = zip(judge(drawn[:, :, :count]), judge(drawn), strict=True)
        for place, ((change, bound), (later, last)) in enumerate(looks):
            once[place].append(bound - change)
            twice[place].append(numpy.maximum(bound / 2 - change, last - later))
    once, twice = (tuple(map(numpy.vstack, needed)) for needed in (once, twice))
    return Replay(series, judge.families, count, once, twice)
