"""The verdict: which series, and which families of them, became slower or faster, and how surely.

A series is one point of the grid, a family the series of one method, one kind of memory and one
kind of size. A series changed by the mean of the middle half of its visits' changes (pairs.py), so
that one odd visit in four is nothing; a family by the weighted mean of its series. That is held
against the noise: how visits differ where nothing changed, in this machine's calibration and in
this comparison together. Series of one kind share their noise, and one with more noise of its own
has that too: its variance is moderated towards theirs (Smyth 2004, doi 10.2202/1544-6115.1027).
Then Student's t, at half of FALSE_ALARMS over all series and half over all families (Bonferroni);
and the change must matter (MATTERS).
"""

from dataclasses import dataclass

import numpy
import pandas
from regression.pairs import FEWEST, SERIES
from scipy import stats

FALSE_ALARMS = 0.01  # a whole comparison's, of anything slower where nothing is
MISSED = 0.05  # of the slowdowns that `promise` is about
MIDDLE = 0.25  # cut from each end before the mean
MATTERS = {  # the least change that is worth a finding: in one series, in a whole family
    "pinned, 4 MiB and more": (0.015, 0.0075),
    "pinned, below": (0.05, 0.02),
    "pageable": (0.075, 0.03),
}
NOISE = ["benchmark", "memory", "scale"]  # series with these in common have their noise in common
PRIOR = 8  # how many visits of its own outweigh the noise that a series shares
SCALES = 4 << 20, 32 << 20  # sizes from which on a transfer's noise is another
FAMILY = ["method", "memory", "kind"]


def spread(distances, axis=None):
    """The standard deviation of normal values that lie at these `distances` from their centre.

    From their quantile at 68 %: the few that lie far out count as no more than far.
    """
    return numpy.quantile(distances, 0.6827, axis=axis)


def middle(changes, axis=0):
    return stats.trim_mean(changes, MIDDLE, axis=axis)


# The standard error of `middle` for 0, 1, 2, ... normal values of spread 1: by simulation, and
# always the same one.
ERRORS = numpy.array(
    [numpy.nan]
    + [
        middle(numpy.random.default_rng(count).standard_normal((20_000, count)), axis=1).std()
        for count in range(1, 17)
    ]
)


def error(spread, visits):
    """The standard error of what a series of `visits` changed by."""
    return spread * ERRORS[numpy.minimum(visits, len(ERRORS) - 1)]


def bound(error, free, tests, least):
    """The least change (logarithm) that is a finding, with `free` degrees of freedom of the noise.

    `tests` is how many series, or families, are judged; `least` the logarithm of what matters.
    """
    return numpy.maximum(stats.t.isf(FALSE_ALARMS / 2 / max(tests, 1), free) * error, least)


def moderated(spread, squares, count):
    """A series' own spread, from the sum of `count` squared distances, moderated by the shared."""
    return numpy.sqrt((PRIOR * spread**2 + squares) / (PRIOR + count))


def least(kinds, family):
    return numpy.log1p(numpy.array([MATTERS[kind][family] for kind in kinds], float))


def scale(nbytes):
    return numpy.searchsorted(SCALES, nbytes, "right")


def distances(visits, centre=None):
    """`visits` with `distance`, how far each lies from its series' median, or from `centre`.

    A comparison's from the median, so that what a series changed by is no noise; a calibration's
    from zero. `square` and `free` are what it adds to the squares and to the degrees of freedom.
    """
    changes = visits.groupby(SERIES, sort=False)["change"]
    count, free = changes.transform("size"), 1.0
    away = (visits["change"] - (changes.transform("median") if centre is None else centre)).abs()
    square = away**2
    if centre is None:
        visits, count, square = (part[count > 1] for part in (visits, count, square))
        away, free = away[count.index] * (count / (count - 1)) ** 0.5, 1 - 1 / count
    return visits.assign(distance=away, square=square, free=free, scale=scale(visits["nbytes"]))


def with_noise(series, visits, calibration):
    """`series` with the columns spread (shared), free and own (its own, moderated)."""
    told = [distances(visits)]
    if calibration is not None:
        told.append(distances(calibration, 0.0))
    told = pandas.concat(told, ignore_index=True)
    shared = told.groupby(NOISE, sort=False).agg(spread=("distance", spread), free=("free", "sum"))
    own = told.groupby(SERIES, sort=False).agg(squares=("square", "sum"), count=("free", "sum"))
    series = series.merge(shared.reset_index(), on=NOISE, how="left")
    series = series.merge(own.reset_index(), on=SERIES, how="left")
    series["own"] = moderated(series["spread"], series.pop("squares"), series.pop("count"))
    return series


@dataclass
class Verdict:
    """`series` and `families`: what each is, and its change, error and bound (logarithms), free
    (degrees of freedom), visits, found ("slower", "faster" or "") and near: whether it may become
    slower with more visits. A visit is one process of each side."""

    series: pandas.DataFrame
    families: pandas.DataFrame


def judge(visits, calibration=None):
    """The Verdict on `visits` (pairs.of), with those of the machine's calibration, if any."""
    groups = visits.groupby([*SERIES, "kind"], sort=False)["change"]
    series = groups.agg(change=lambda found: middle(found.to_numpy()), visits="size").reset_index()
    series["scale"] = scale(series["nbytes"])
    series = with_noise(series, visits, calibration)
    series["error"] = error(numpy.maximum(series["spread"], series["own"]), series["visits"])
    weights = error(series["own"], series["visits"]) ** -2
    groups = series.assign(weight=weights, weighted=weights * series["change"]).groupby(FAMILY)
    families = groups.agg(
        weight=("weight", "sum"),
        weighted=("weighted", "sum"),
        free=("free", "sum"),
        visits=("visits", "min"),
        members=("change", "size"),
    ).reset_index()
    families = families[families["members"] > 1].reset_index(drop=True)
    families["change"] = families.pop("weighted") / families["weight"]
    families["error"] = families.pop("weight") ** -0.5
    for rows, family in ((series, 0), (families, 1)):
        rows["bound"] = bound(rows["error"], rows["free"], len(rows), least(rows["kind"], family))
        sure = rows["visits"].ge(FEWEST) & rows["change"].abs().ge(rows["bound"])
        rows["found"] = numpy.select([sure & rows["change"].gt(0), sure], ["slower", "faster"], "")
        rows["near"] = near(rows["change"], rows["bound"])
    return Verdict(series, families)


def near(change, bound):
    """Whether a change is worth more visits: twice as many have 0.7 of the error."""
    return change >= bound / 2


def promise(rows):
    """The least slowdown (logarithm) missed only MISSED of the time, for rows of a Verdict."""
    return rows["bound"] + stats.norm.isf(MISSED) * rows["error"]
