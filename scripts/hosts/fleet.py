"""What is normal in a fleet, learned from itself, and how slow is too slow.

A row is a GPU, a column a kind of transfer, a value the logarithm of GB/s; NaN where there is none.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy
from numpy.typing import NDArray
from scipy import optimize, stats

FALSE_ALARMS = 0.001  # of healthy hosts, at most so many are named
NOMINAL = FALSE_ALARMS / 8  # tails are learned where there are more values than out there
MATTERS = 0.02  # nothing less slow than that is worth a drained node
LEAST = 0.002  # spread: equal numbers are rounded ones
CLIP = 3.5  # of the spread: what is slower is no part of what is normal
NORMAL_MAD, MAD_EFFICIENCY = 1.4826, 0.37  # of normal values: sigma over it, and how well it tells
TAIL_FROM = 500  # values on the fast side, to learn the tail from
SEEN = 0.69  # a halved rate: a threshold beyond it would see nothing

Values = NDArray[numpy.float64]


class Fleet(NamedTuple):
    """Of each kind, in logarithms of GB/s."""

    centre: Values
    spread: Values
    threshold: Values  # below the centre; inf where nothing can be said
    df: Values  # of Student's t, which the standardised values follow
    tests: int  # kinds times GPUs of a host

    def below(self, rows: Values) -> Values:
        """How far below the centre, in logarithms; NaN stays."""
        return self.centre - rows

    def slow(self, rows: Values) -> NDArray[numpy.bool_]:
        return self.below(rows) > self.threshold

    def chance(self, rows: Values) -> Values:
        """Of each GPU: how likely one as slow in any kind is on a healthy host; at most 1."""
        with numpy.errstate(invalid="ignore", divide="ignore"):
            tails = stats.t.sf(self.below(rows) / self.spread, self.df)
        return numpy.minimum(1, self.tests * numpy.nanmin(tails, axis=1, initial=1))


def learn(rows: Values, gpus: int, parts: Sequence[int] = ()) -> Fleet:
    """`gpus` is how many a host has; `parts` are the columns where others of another nature begin.

    A fifth of the rows may be slow: centre and spread are median and median absolute deviation of
    what is left when all that is far below is left out, again and again. What is far above stays:
    nothing makes a link faster than it is. How heavy the tail is, the fast side says, where
    nothing is slow, of each part by itself: that of means is lighter.
    """
    kept = rows.copy()
    for _ in range(20):
        centre = nanmedian(kept)
        spread = numpy.maximum(NORMAL_MAD * nanmedian(abs(kept - centre)), LEAST)
        far = kept < centre - CLIP * spread
        if not far.any():
            break
        kept[far] = numpy.nan
    number = numpy.isfinite(kept).sum(axis=0)
    apart = numpy.split((rows - centre) / spread, parts, axis=1)
    tails = numpy.concatenate([numpy.full(part.shape[1], tail(part)) for part in apart])
    df = numpy.minimum(MAD_EFFICIENCY * numpy.maximum(number - 1, 1), tails)
    some = numpy.maximum(number, 1)
    tests = gpus * int((number > 0).sum())
    quantile = stats.t.isf(NOMINAL / max(tests, 1), df)
    threshold = numpy.maximum(quantile * spread * numpy.sqrt(1 + numpy.pi / 2 / some), MATTERS)
    return Fleet(centre, spread, numpy.where(threshold < SEEN, threshold, numpy.inf), df, tests)


def nanmedian(rows: Values) -> Values:
    """Of each column; NaN, without a warning, of one that has nothing."""
    medians = numpy.full(rows.shape[1], numpy.nan)
    has = numpy.isfinite(rows).any(axis=0)
    medians[has] = numpy.nanmedian(rows[:, has], axis=0)
    return medians


def tail(standardised: Values) -> float:
    """The degrees of freedom of the Student's t whose tail the fast side has; at most 1000."""
    fast = standardised[standardised > 0]
    if fast.size < TAIL_FROM:
        return 1000.0
    found = numpy.quantile(fast, 0.99) / numpy.quantile(fast, 0.5)

    def ratio(df: float) -> float:
        return float(stats.t.ppf(0.995, df) / stats.t.ppf(0.75, df) - found)

    if ratio(1000) >= 0:
        return 1000.0
    return 2.0 if ratio(2) <= 0 else float(optimize.brentq(ratio, 2, 1000))


def so_many(named: int, hosts: int) -> float:
    """How likely at least `named` of so many hosts, all healthy, are named."""
    return float(stats.binom.sf(named - 1, hosts, FALSE_ALARMS))
