"""The points of two results held against each other: what became slower, a method or all of them.

Between two runs a host drifts by more than a library changes. So where both have measured the
methods of a point in turn, each is compared by what its ratio did beyond the median of all: one
that changed does not move it. What all did together is said apart, in seconds, and so is what has
no ratios.
"""

import numpy
import pandas

from scripts.reading import intervals, standing
from scripts.reading.own_part import own
from scripts.words.thresholds import BETWEEN_RUNS
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
    both = measured[0].merge(measured[1], on=keys, suffixes=SIDES).set_index(keys)
    one, other = (
        both[[f"{name}{side}" for name in NUMBERS]].set_axis(NUMBERS, axis=1) for side in SIDES
    )
    ratios = own(pandas.DataFrame({0: one["relative"], 1: other["relative"]}), POINT)
    moved = ratios[0] - ratios[1]
    if left["machine"].iloc[0] != right["machine"].iloc[0]:
        moved[:] = numpy.nan
    by_ratio = moved.notna()
    change = numpy.log(one["seconds"] / other["seconds"])
    margin = intervals.margin(one, other, same_run=False)
    told = pandas.DataFrame({"change": change, "margin": margin})
    together = told[by_ratio].groupby(level=POINT).agg({"change": "median", "margin": "max"})
    free = numpy.minimum(one["relative_df"], other["relative_df"])
    spread = numpy.hypot(standing.error(one), standing.error(other))
    margin = BETWEEN_RUNS * intervals.quantile(free) * spread
    told[by_ratio] = pandas.DataFrame({"change": moved, "margin": margin})
    told = pandas.concat(
        [told.assign(by_ratio=by_ratio).reset_index(), together.reset_index().assign(method=ALL)]
    )
    told["by_ratio"] = told["by_ratio"].eq(True)
    return told.assign(apart=told["change"].abs().gt(told["margin"]))
