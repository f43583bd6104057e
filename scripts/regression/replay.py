"""How often the gate is wrong: the visits of a recorded calibration, replayed thousands of times.

Nothing changed between the two sides of a calibration, so which of a visit's processes was the
first side's is chance. A run that might as well have been is had by drawing visits and swapping the
two processes of some: each process's measurement stays whole, and an odd one as frequent as it was.
A run is judged as verdict.py judges, with this calibration; a slowdown is injected by adding its
logarithm.
"""

from dataclasses import dataclass

import numpy
from regression import verdict
from regression.pairs import FEWEST, SERIES

SLOWDOWNS = 0.02, 0.05, 0.1, 0.2, 0.5
AT_ONCE = 50  # runs in one array


def matrix(visits):
    """A row a series, and what its first FEWEST visits changed: an array, series x visits.

    A series that has fewer is left out.
    """
    groups = visits.groupby([*SERIES, "kind"], sort=False)["change"]
    rows = groups.agg(lambda changes: list(changes[:FEWEST])).reset_index(name="changes")
    rows = rows[rows["changes"].map(len) == FEWEST].reset_index(drop=True)
    rows["scale"] = verdict.scale(rows["nbytes"])
    return rows.drop(columns="changes"), numpy.array(rows["changes"].tolist())


def draw(changes, runs, visits, random):
    """`runs` x series x `visits`: each visit as often as any other, its sides swapped or not."""
    times = -(-visits // changes.shape[1])
    drawn = numpy.tile(changes, (runs, 1, times))
    drawn = random.permuted(drawn, axis=2)[:, :, :visits]
    return drawn * random.choice([-1, 1], drawn.shape)


class Judge:
    """What verdict.judge does, of many runs of the same series at once.

    `known` are the series' changes in the calibration that the runs are judged with.
    """

    def __init__(self, series, known):
        self.kinds, self.known = series["kind"], known
        self.noise = list(series.groupby(verdict.NOISE, sort=False).indices.values())
        groups = series.groupby(verdict.FAMILY)
        members = [rows for rows in groups.indices.values() if len(rows) > 1]
        self.families = series.loc[[rows[0] for rows in members], verdict.FAMILY]
        self.families = self.families.reset_index(drop=True)
        self.member = numpy.zeros((len(series), len(members)))
        for place, rows in enumerate(members):
            self.member[rows, place] = 1

    def __call__(self, changes):
        """Change and bound of the series, and of the families: arrays, runs x rows."""
        runs, _, visits = changes.shape
        away = abs(changes - numpy.median(changes, axis=2, keepdims=True))
        squares = (away**2).sum(axis=2) + (self.known**2).sum(axis=1)
        known = numpy.broadcast_to(abs(self.known), (runs, *self.known.shape))
        told = numpy.concatenate([away * (visits / (visits - 1)) ** 0.5, known], axis=2)
        each = visits - 1 + self.known.shape[1]
        shared, free = numpy.empty(changes.shape[:2]), numpy.empty(len(self.kinds))
        for rows in self.noise:
            shared[:, rows] = verdict.spread(told[:, rows].reshape(runs, -1), axis=1)[:, None]
            free[rows] = len(rows) * each
        own = verdict.moderated(shared, squares, each)
        change, error = (
            verdict.middle(changes, axis=2),
            verdict.error(numpy.maximum(shared, own), visits),
        )
        weight = verdict.error(own, visits) ** -2
        total = weight @ self.member
        least = verdict.least(self.kinds, 0), verdict.least(self.families["kind"], 1)
        return (change, verdict.bound(error, free, len(free), least[0])), (
            (weight * change) @ self.member / total,
            verdict.bound(total**-0.5, free @ self.member, len(self.families), least[1]),
        )


@dataclass
class Replay:
    """`needed`: of each run and series (then family), the least slowdown (logarithm) that is found
    when injected there alone; with `visits` a series (`once`), and as gate.py goes on (`twice`:
    twice as many where it is near). Not above zero: a false alarm."""

    series: object
    families: object
    visits: int
    once: tuple
    twice: tuple

    def false_alarms(self, needed):
        """In how many of the runs there is one."""
        return int((numpy.hstack(needed) <= 0).any(axis=1).sum())


def replay(visits, runs, count, calibrated=True, seed=0):
    """`runs` runs of `count` visits a series, and twice as many, from a calibration's `visits`.

    Unless `calibrated`, they are judged as where there is no calibration.
    """
    random = numpy.random.default_rng(seed)
    series, changes = matrix(visits)
    judge = Judge(series, changes if calibrated else changes[:, :0])
    once, twice = ([], []), ([], [])
    for begin in range(0, runs, AT_ONCE):
        drawn = draw(changes, min(AT_ONCE, runs - begin), 2 * count, random)
        looks = zip(judge(drawn[:, :, :count]), judge(drawn), strict=True)
        for place, ((change, bound), (later, last)) in enumerate(looks):
            once[place].append(bound - change)
            twice[place].append(numpy.maximum(bound / 2 - change, last - later))
    once, twice = (tuple(map(numpy.vstack, needed)) for needed in (once, twice))
    return Replay(series, judge.families, count, once, twice)
