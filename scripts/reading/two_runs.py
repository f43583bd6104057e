"""The points of two results held against each other: what became slower, a method or all of them.

Between two runs a host drifts by more than a library changes. So where both have measured the
methods of a point in turn, each is compared by what its ratio did beyond the median of all: one
that changed does not move it. What all did together is said apart, in seconds, and so is what has
no ratios.
"""

import numpy
import pandas

from scripts.reading import intervals, standing
from scripts.words.thresholds import BETWEEN_RUNS, MOST_STAND
from scripts.words.vocabulary import ALL

POINT = ["operation", "memory", "dtype", "nbytes"]
NUMBERS = [
    *("seconds", "processes", "log_sd", "degrees_of_freedom"),
    *("visits", "relative", "relative_sd", "relative_df"),
]
SIDES = "_left", "_right"


def compared(left: pandas.DataFrame, right: pandas.DataFrame) -> pandas.DataFrame:
    """A row for each method of each point that both results have, and one of the method ALL for
    each point that has ratios.

    Its columns: POINT and `method`; `change`, by how much the logarithm of left's seconds, or
    ratio, is above right's; `margin`, by how much it must be, at 99 %, NaN where nobody knows;
    `apart`, whether it is; `by_ratio`, whether it is of ratios. Two machines have no ratios: which
    of them is faster is a question of seconds.
    """
    keys = ["method", *POINT]
    measured = [
        run.loc[run["status"].eq("ok") & run["seconds"].notna(), [*keys, *NUMBERS]].astype(
            dict.fromkeys(keys, object)
        )
        for run in (left, right)
    ]
    both = measured[0].merge(measured[1], on=keys, suffixes=SIDES)
    one, other = (
        both[[f"{name}{side}" for name in NUMBERS]].set_axis(NUMBERS, axis=1) for side in SIDES
    )
    points = [both[name] for name in POINT]
    known = one["relative"].notna() & other["relative"].notna()
    if left["machine"].iloc[0] != right["machine"].iloc[0]:
        known[:] = False
    methods = known.groupby(points, dropna=False).transform("sum")
    known &= methods.ge(MOST_STAND)
    both = both[keys].assign(
        by_ratio=known,
        change=numpy.log(one["seconds"] / other["seconds"]),
        margin=intervals.margin(one, other, same_run=False),
    )
    together = both[known].groupby(POINT, as_index=False).agg({"change": "median", "margin": "max"})
    moved = (one["relative"] - other["relative"]).where(known)
    moved -= moved.groupby(points, dropna=False).transform("median")
    spread = numpy.hypot(standing.error(one), standing.error(other))
    free = numpy.minimum(one["relative_df"], other["relative_df"])
    both["change"] = both["change"].where(~known, moved)
    margin = BETWEEN_RUNS * intervals.quantile(free) * spread
    both["margin"] = both["margin"].where(~known, margin)
    both = pandas.concat([both, together.assign(method=ALL, by_ratio=False)], ignore_index=True)
    return both.assign(apart=both["change"].abs().gt(both["margin"]))
