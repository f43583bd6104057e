"""How often the gate is wrong: the visits of a recorded calibration, replayed thousands of times.

Nothing changed between the two sides of a calibration, so which of a visit's processes was the
first side's is chance. A run that might as well have been is had by swapping the two sides of
some visits: each process's measurement stays whole, and an odd one as frequent as it was. Visits
with the same servers are swapped together, as their processes have the servers in common, and so
are the series of one visit.
A run is judged as verdict.py judges where there is no calibration, by its own noise alone: what is
judged shall not be known beforehand. A slowdown is injected by adding its logarithm.
"""

from dataclasses import dataclass

import numpy

from scripts.gate import verdict
from scripts.gate.pairs import FEWEST, SERIES

SLOWDOWNS = 0.02, 0.05, 0.1, 0.2, 0.5
AT_ONCE = 50  # runs in one array


def matrix(visits):
    """A row a series, and of its visits the changes and the servers, numbered from 0: two arrays,
    series x visits.

    A series that has fewer than FEWEST is left out, and of others what is more than each has.
    """
    names = [*SERIES, "direction", "kind"]
    visits = visits[visits.groupby(SERIES, sort=False)["change"].transform("size") >= FEWEST]
    each = visits.groupby(SERIES, sort=False).size().min()
    first = visits.groupby(SERIES, sort=False).head(each)
    rows = first[names].drop_duplicates(ignore_index=True)
    rows["scale"] = verdict.scale(rows["nbytes"])
    shape = len(rows), each
    servers = numpy.unique(first["servers"], return_inverse=True)[1]
    return rows, first["change"].to_numpy().reshape(shape), servers.reshape(shape)


def draw(changes, servers, runs, wanted, random):
    """`runs` x series x `wanted` visits of those in `changes`, their sides swapped or not.

    The passes come in a random order, and again, their sides swapped anew, if more are wanted.
    """
    passes = changes.shape[1]
    parts = []
    for _ in range(0, wanted, passes):
        order = random.permuted(numpy.tile(numpy.arange(passes), (runs, 1)), axis=1)
        swapped = random.choice([-1, 1], (runs, servers.max() + 1))
        run = numpy.arange(runs)[:, None, None]
        theirs, there = (part[:, order].swapaxes(0, 1) for part in (changes, servers))
        parts.append(theirs * swapped[run, there])
    return numpy.concatenate(parts, axis=2)[:, :, :wanted]


class Judge:
    """What verdict.judge does, of many runs of the same series at once."""

    def __init__(self, series):
        self.least = verdict.least(series)
        self.noise = list(series.groupby(verdict.NOISE, sort=False).indices.values())
        members = series.groupby(verdict.FAMILY).indices.values()
        members = [rows for rows in members if len(rows) > 1]
        self.families = series.loc[[rows[0] for rows in members], verdict.FAMILY]
        self.families = self.families.reset_index(drop=True)
        point = series.groupby(["benchmark", "memory", "dtype", "nbytes"]).ngroup().to_numpy()
        self.visited = numpy.equal.outer(point, numpy.unique(point)).astype(float)
        self.member = numpy.zeros((len(series), len(members)))
        self.free = numpy.zeros(len(members))  # of each family
        for place, rows in enumerate(members):
            self.member[rows, place] = 1
            theirs = [kind for kind in self.noise if set(kind) & set(rows)]
            self.free[place] = sum(map(len, theirs)) * (FEWEST - 1)

    def series(self, changes):
        """Change, error and bound of the series, runs x series, each with all of its `changes`."""
        visits = changes.shape[2]
        first = distances(changes[:, :, :FEWEST])
        shared, free = numpy.empty(changes.shape[:2]), numpy.empty(len(self.least))
        for rows in self.noise:
            told = first[:, rows].reshape(len(changes), -1)
            shared[:, rows] = verdict.spread(told, axis=1)[:, None]
            free[rows] = len(rows) * (FEWEST - 1)
        away = abs(changes - numpy.median(changes, axis=2, keepdims=True))
        squares = (verdict.far(away, shared[:, :, None]) ** 2).sum(axis=2)
        own = verdict.moderated(shared, squares, visits - 1)
        error = verdict.error(numpy.maximum(shared, own), visits)
        free = numpy.minimum(free, verdict.PRIOR + visits - 1)
        bound = verdict.bound(error, free, len(free), self.least)
        return verdict.middle(changes, axis=2), error, bound

    def families_of(self, change, error):
        """Change and bound of the families, runs x families."""
        weight = error**-2
        total = weight @ self.member
        least = verdict.least(self.families)
        bound = verdict.bound(total**-0.5, self.free, len(self.free), least)
        return (weight * change) @ self.member / total, bound


def distances(changes):
    visits = changes.shape[2]
    away = abs(changes - numpy.median(changes, axis=2, keepdims=True))
    return away * (visits / (visits - 1)) ** 0.5


def alarms(judge, looks):
    """Which runs end with something slower; `looks` are what `series` gives at each of LOOKS."""
    level = numpy.zeros(looks[0][0].shape, int)  # at which of the looks each series is

    def now():
        change, error, bound = (
            numpy.choose(level, [look[part] for look in looks]) for part in range(3)
        )
        return (change, bound), judge.families_of(change, error)

    for last in range(len(looks) - 1):
        (change, bound), (families, bounds) = now()
        again = verdict.near(change, bound)
        again |= (verdict.near(families, bounds) @ judge.member.T) > 0
        again = (again @ judge.visited @ judge.visited.T) > 0  # a visit brings all of its series
        level[(level == last) & again] += 1
    return numpy.logical_or.reduce([(change >= bound).any(axis=1) for change, bound in now()])


def needed(looks):
    """The least slowdown that is found in the end: near at each look before, or clear at one."""
    (change, bound), *later = looks
    if not later:
        return bound - change
    goes_on = numpy.maximum(bound / 2 - change, needed(later))
    return numpy.minimum(goes_on, verdict.CLEAR * bound - change)


@dataclass
class Replay:
    """`once` and `whole`: after the first look, and as the gate goes on. Each has `alarms`, in how
    many runs, and `needed`, for the series and for the families: runs x rows, the least slowdown
    (logarithm) that is found when it is injected there alone."""

    series: object
    families: object
    once: dict
    whole: dict


def replay(visits, runs, seed=0):
    """`runs` runs, drawn from a calibration's `visits` (pairs.of)."""
    random = numpy.random.default_rng(seed)
    series, *there = matrix(visits)
    judge = Judge(series)
    parts = []
    for begin in range(0, runs, AT_ONCE):
        drawn = draw(*there, min(AT_ONCE, runs - begin), verdict.LOOKS[-1], random)
        looks = [judge.series(drawn[:, :, :count]) for count in verdict.LOOKS]
        ones = [(change, bound) for change, _, bound in looks]
        all_ = [judge.families_of(change, error) for change, error, _ in looks]
        parts.append(
            (
                alarms(judge, looks[:1]),
                alarms(judge, looks),
                *(needed(part[:count]) for count in (1, None) for part in (ones, all_)),
            )
        )
    first, last, *least = (numpy.concatenate(part) for part in zip(*parts, strict=True))
    return Replay(
        series,
        judge.families,
        {"alarms": int(first.sum()), "needed": least[:2]},
        {"alarms": int(last.sum()), "needed": least[2:]},
    )
