"""The verdict: which series, and which families of them, became slower or faster, and how surely.

A series is one point of the grid, a family the series of one method, direction, kind of memory and
kind of size. A series changed by the mean of the middle half of its visits' changes (pairs.py), so
that one odd visit in four is nothing; a family by the weighted mean of its series. That is held
against the noise: how visits differ where nothing changed, in this comparison and in the machine's
calibration. Series of one kind share their noise; one with more noise of its own has its own,
moderated towards theirs as in Smyth 2004 (doi 10.2202/1544-6115.1027), with PRIOR chosen, not
estimated. Then Student's t, at half of FALSE_ALARMS over all series and half over all families
(Bonferroni); and the change must matter (MATTERS).

The series of one visit are not independent: what one side's process has of its own is in all of
them. The members of a family are of different visits, and a series' own are, so nothing above needs
to know. It is said of each what the other methods of the same visits did: one library changed, or
what all of them share.

What is near to a finding gets more visits, twice as many at each of LOOKS; only what is clear at
once does not. The tails of the noise are heavier than those of t: tests/gate/replay.py has the true
errors.
"""

from dataclasses import dataclass
from typing import Any

import numpy
import pandas
from scipy import stats

from scripts.gate.pairs import FEWEST, SERIES
from scripts.words.thresholds import FALSE_ALARMS, MATTERS, matters
from scripts.words.vocabulary import SCALES

LOOKS = FEWEST, 2 * FEWEST, 4 * FEWEST  # visits of what is near to a finding
CLEAR = 3  # times the bound: slower without another look
FAR = 5  # times the shared spread: farther out counts as that
SMALLEST = 1e-4  # spread; equal changes are luck, not certainty
NOISY = numpy.log1p(0.3)  # a series that could miss more than this is looked at again, too
MISSED = 0.05  # of the slowdowns that `promise` is about
MIDDLE = 0.25  # cut from each end before the mean
NOISE = ["benchmark", "memory", "scale"]  # series with these in common have their noise in common
PRIOR = 8  # how many visits of its own outweigh the noise that a series shares
FAMILY = ["method", "memory", "direction", "kind"]


def spread(distances: Any, axis: int | None = None) -> Any:
    """The standard deviation of normal values that lie at these `distances` from their centre.

    From their quantile at 68 %: the few that lie far out count as no more than far.
    """
    return numpy.quantile(distances, 0.6827, axis=axis)


def middle(changes: Any, axis: int = 0) -> Any:
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


def error(spread: Any, visits: Any) -> Any:
    """The standard error of what a series of `visits` changed by."""
    return numpy.maximum(spread, SMALLEST) * ERRORS[numpy.minimum(visits, len(ERRORS) - 1)]


def bound(error: Any, free: Any, tests: int, least: Any) -> Any:
    """The least change (logarithm) that is a finding, with `free` degrees of freedom of the noise.

    `tests` is how many series, or families, are judged; `least` the logarithm of what matters.
    """
    return numpy.maximum(stats.t.isf(FALSE_ALARMS / 2 / max(tests, 1), free) * error, least)


def far(distance: Any, spread: Any) -> Any:
    """A distance as it counts: one that lies far out counts as FAR of the shared spread."""
    return numpy.minimum(distance, FAR * spread)


def moderated(spread: Any, squares: Any, count: Any) -> Any:
    """A series' own spread, from the sum of `count` squared distances, moderated by the shared."""
    return numpy.sqrt((PRIOR * spread**2 + squares) / (PRIOR + count))


def least(rows: pandas.DataFrame) -> numpy.ndarray:
    """The logarithm of what matters, of each of `rows`: series, or families, which have no size."""
    if "nbytes" in rows:
        found = [matters(*row) for row in zip(rows["kind"], rows["nbytes"], strict=True)]
    else:
        found = [MATTERS[kind][1] for kind in rows["kind"]]
    return numpy.log1p(numpy.array(found, float))


def scale(nbytes: Any) -> Any:
    return numpy.searchsorted(SCALES, nbytes, "right")


def distances(visits: pandas.DataFrame, centre: float | None = None) -> pandas.DataFrame:
    """`visits` with `away`, how far each lies from its series' median, or from `centre`.

    A comparison's from the median, so that what a series changed by is no noise; a calibration's
    from zero. `distance` is that of as many as `free` degrees of freedom have.
    """
    changes = visits.groupby(SERIES, sort=False)["change"]
    count, free = changes.transform("size"), 1.0
    away = (visits["change"] - (changes.transform("median") if centre is None else centre)).abs()
    if centre is None:
        visits, count, away = (part[count > 1] for part in (visits, count, away))
        free = 1 - 1 / count
    scaled = away / numpy.sqrt(free)
    return visits.assign(away=away, distance=scaled, free=free, scale=scale(visits["nbytes"]))


def other_methods(visits: pandas.DataFrame) -> pandas.Series:
    """What the other methods of each one's visit changed by, in the median; NaN if it has none."""
    changes = visits.pivot_table("change", "visit", "method", "first")
    others = {method: changes.drop(columns=method).median(axis=1) for method in changes}
    rows = zip(visits["visit"], visits["method"], strict=True)
    return pandas.Series([others[method][visit] for visit, method in rows], visits.index, float)


def with_noise(
    series: pandas.DataFrame, visits: pandas.DataFrame, calibration: pandas.DataFrame | None
) -> pandas.DataFrame:
    """`series` with the columns spread and free (shared), own (moderated) and count.

    The shared noise is that of each series' first FEWEST visits, so that one that was looked at
    more often does not count for more.
    """
    known = [] if calibration is None else [distances(calibration, 0.0)]
    first = distances(visits.groupby(SERIES, sort=False).head(FEWEST))
    told = pandas.concat([first, *known], ignore_index=True)
    shared = told.groupby(NOISE, sort=False).agg(spread=("distance", spread), free=("free", "sum"))
    told = pandas.concat([distances(visits), *known], ignore_index=True)
    told = told.merge(shared["spread"].reset_index(), on=NOISE, how="left")
    told["square"] = far(told["away"], told["spread"]) ** 2
    own = told.groupby(SERIES, sort=False).agg(squares=("square", "sum"), count=("free", "sum"))
    series = series.merge(shared.reset_index(), on=NOISE, how="left")
    series = series.merge(own.reset_index(), on=SERIES, how="left")
    series["own"] = moderated(series["spread"], series.pop("squares"), series["count"])
    return series


@dataclass
class Verdict:
    """`series` and `families`: what each is, and its change, error and bound (logarithms), others
    (the change of the other methods of its visits, NaN without any), free (degrees of freedom),
    visits, found ("slower", "faster" or ""), near (worth another look) and clear (slower beyond
    doubt). A visit is one process of each side."""

    series: pandas.DataFrame
    families: pandas.DataFrame


def judge(visits: pandas.DataFrame, calibration: pandas.DataFrame | None = None) -> Verdict:
    """The Verdict on `visits` (pairs.of), with those of the machine's calibration, if any."""
    groups = visits.assign(others=other_methods(visits)).groupby(
        [*SERIES, "direction", "kind"], sort=False
    )
    series = groups.agg(
        change=("change", lambda found: middle(found.to_numpy())),
        others=("others", lambda found: middle(found.to_numpy())),
        visits=("change", "size"),
    ).reset_index()
    series["scale"] = scale(series["nbytes"])
    series = with_noise(series, visits, calibration)
    series["error"] = error(numpy.maximum(series["spread"], series["own"]), series["visits"])
    weights = series["error"] ** -2
    rows = series.assign(weight=weights, weighted=weights * series["change"])
    families = rows.groupby(FAMILY).agg(
        weight=("weight", "sum"),
        weighted=("weighted", "sum"),
        others=("others", "median"),
        visits=("visits", "min"),
        members=("change", "size"),
    )
    shared = rows.drop_duplicates([*FAMILY, *NOISE])  # of which each noise counts once
    families["free"] = shared.groupby(FAMILY)["free"].sum()
    families = families[families["members"] > 1].reset_index()
    families["change"] = families.pop("weighted") / families["weight"]
    families["error"] = families.pop("weight") ** -0.5
    series["free"] = numpy.minimum(series["free"], PRIOR + series.pop("count"))
    for rows in (series, families):
        rows["bound"] = bound(rows["error"], rows["free"], len(rows), least(rows))
        sure = rows["visits"].ge(FEWEST) & rows["change"].abs().ge(rows["bound"])
        rows["found"] = numpy.select([sure & rows["change"].gt(0), sure], ["slower", "faster"], "")
        rows["near"] = near(rows["change"], rows["bound"])
        rows["clear"] = rows["change"] >= CLEAR * rows["bound"]
    return Verdict(series, families)


def near(change: Any, bound: Any) -> Any:
    """Whether a change is worth another look."""
    return (change >= bound / 2) & (change < CLEAR * bound)


def promise(rows: pandas.DataFrame) -> pandas.Series:
    """The least slowdown (logarithm) missed only MISSED of the time, for rows of a Verdict."""
    return rows["bound"] + stats.norm.isf(MISSED) * rows["error"]
