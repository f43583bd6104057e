"""The points of two results held against each other: what became slower, a method or all of them.

Between two runs a host drifts by more than a library changes. So where both have measured the
methods of a point in turn, each is compared by its own part (own_part.py). What all did together
is said apart, in seconds, and so is what has no ratios.
"""

import numpy
import pandas

from scripts.reading import intervals, standing
from scripts.reading.own_part import own, shared
from scripts.words.thresholds import BETWEEN_RUNS
from scripts.words.vocabulary import ALL, TRANSFERS

OPERATIONS = *TRANSFERS, "link", "copy"
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
        run.loc[run["status"].eq("ok") & run["operation"].isin(OPERATIONS), [*keys, *NUMBERS]]
        for run in (left, right)
    ]
    measured = [rows.astype(dict.fromkeys(keys, object)) for rows in measured]
    both = measured[0].merge(measured[1], on=keys, suffixes=SIDES).set_index(keys)
    one, other = (
        both[[f"{name}{side}" for name in NUMBERS]].set_axis(NUMBERS, axis=1) for side in SIDES
    )
    ratios = own(pandas.DataFrame({0: one["relative"], 1: other["relative"]}), POINT)
    moved = ratios[0] - ratios[1]
    if left["machine"].iloc[0] != right["machine"].iloc[0]:
        moved[:] = numpy.nan
    by_ratio = moved.notna()
    seconds = numpy.log(pandas.DataFrame({0: one["seconds"], 1: other["seconds"]}))
    margin = intervals.margin(one, other, same_run=False)
    told = pandas.DataFrame({"change": seconds[0] - seconds[1], "margin": margin})
    all_did = shared(seconds[by_ratio], POINT)
    together = told[by_ratio].groupby(level=POINT)[["margin"]].max()
    together = together.assign(change=all_did[0] - all_did[1], method=ALL)
    free = numpy.minimum(one["relative_df"], other["relative_df"])
    methods = by_ratio.groupby(level=POINT, dropna=False).transform("sum")
    both_errors = numpy.hypot(standing.error(one), standing.error(other))
    spread = both_errors * numpy.sqrt(1 + 1 / (methods - 1))
    margin = BETWEEN_RUNS * intervals.quantile(free) * spread
    told[by_ratio] = pandas.DataFrame({"change": moved, "margin": margin})
    told = pandas.concat([told.assign(by_ratio=by_ratio).reset_index(), together.reset_index()])
    told["by_ratio"] = told["by_ratio"].eq(True)
    return told.assign(apart=told["change"].abs().gt(told["margin"]))
