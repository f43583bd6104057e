"""How sure a number is: 99 % intervals, and whether two numbers differ.

A point has as many independent measurements as it had processes, usually two, and two say nearly
nothing of their own spread. So the spread is that of all points of a kind together: of one run, one
operation and one kind of memory, below 4 MiB or from there on, since within such a kind processes
differ alike (docs/numbers.md, "How it is measured"). Runs differ a little more than their processes
do: for the difference of two runs the spread is widened by half.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy
import pandas
from scipy.special import stdtrit  # scipy.stats has it as t.ppf, and takes a second to import

from scripts.reading.processes import Processes
from scripts.words.thresholds import BETWEEN_RUNS, LEVEL
from scripts.words.vocabulary import LARGE

NUMBERS = "process_spread", "squares"
KIND = ["machine", "commit", "environment", "benchmark", "memory", "large"]


def columns(taken: Iterable[Processes], count: int) -> dict[str, numpy.ndarray]:
    """How the processes of each of `count` points differ: the columns NUMBERS."""
    parts = [(one.owners, numpy.median(one.logs, axis=1)) for one in taken]
    found = {name: numpy.full(count, numpy.nan) for name in NUMBERS}
    if not parts:
        return found
    owners, logs = map(numpy.concatenate, zip(*parts, strict=True))
    processes = numpy.bincount(owners, minlength=count)
    mean = numpy.bincount(owners, logs, count) / numpy.maximum(processes, 1)
    squares = numpy.bincount(owners, (logs - mean[owners]) ** 2, count)
    low, high = numpy.full(count, numpy.inf), numpy.full(count, -numpy.inf)
    numpy.minimum.at(low, owners, logs)
    numpy.maximum.at(high, owners, logs)
    found["squares"] = numpy.where(processes > 0, squares, numpy.nan)
    several = processes > 1
    found["process_spread"][several] = numpy.expm1(high[several] - low[several])
    return found


def add(points: pandas.DataFrame) -> pandas.DataFrame:
    """Add `log_sd`, `degrees_of_freedom`, `seconds_low_99`, `seconds_high_99` and the same two of
    the ratios, `relative_sd` and `relative_df`.

    `points` has a row a point, with `processes` and `squares`, the sum of the squared deviations
    of its processes' log medians from their mean, and with `visits`, `relative_squares` and
    `relative_free` (ratios.py). The pooled variance of a kind is the sum of the squares over that
    of (processes - 1), or of `relative_free`; the interval is seconds / f to seconds * f with
    f = exp(t * log_sd / sqrt(processes)). Where no point of a kind has two processes, or visits,
    they are NaN.
    """
    large = points["nbytes"].fillna(0).ge(LARGE)
    kinds = points.assign(large=large).groupby(KIND, observed=True, dropna=False, sort=False)
    kind = kinds.ngroup()
    for count, squares, free, sd, df in (
        ("processes", "squares", points["processes"] - 1, "log_sd", "degrees_of_freedom"),
        ("visits", "relative_squares", points["relative_free"], "relative_sd", "relative_df"),
    ):
        known = points["status"].eq("ok") & points[count].gt(0)
        parts = pandas.DataFrame({"squares": points[squares], "free": free}).where(known, 0.0)
        sums = parts.groupby(kind).transform("sum")
        points[df] = sums["free"].where(known & sums["free"].gt(0))
        points[sd] = numpy.sqrt(sums["squares"] / points[df])
    processes = points["processes"].where(points["processes"].gt(0))
    within = quantile(points["degrees_of_freedom"]) * points["log_sd"]
    factor = numpy.exp(within / numpy.sqrt(processes))
    points["seconds_low_99"] = points["seconds"] / factor
    points["seconds_high_99"] = points["seconds"] * factor
    return points


def quantile(degrees_of_freedom: Any) -> Any:
    """What `LEVEL` of Student's t lies within, plus and minus."""
    return stdtrit(degrees_of_freedom, (1 + LEVEL) / 2)


def margin(one: Mapping[str, Any], other: Mapping[str, Any], same_run: bool = True) -> Any:
    """By how much the logarithms of two points' seconds must differ to be told apart, at 99 %.

    Student's t. Each is a row of the table, or several aligned ones. NaN where the spread is not
    known.
    """
    widen = 1.0 if same_run else BETWEEN_RUNS
    free = numpy.minimum(one["degrees_of_freedom"], other["degrees_of_freedom"])
    return widen * quantile(free) * numpy.hypot(error(one), error(other))


def error(point: Mapping[str, Any]) -> Any:
    """The standard error of the logarithm of a point's seconds."""
    processes = numpy.asarray(point["processes"], float)  # NaN, not NA: it compares as False
    with numpy.errstate(divide="ignore"):
        return point["log_sd"] / numpy.sqrt(processes)


def differ(one: Mapping[str, Any], other: Mapping[str, Any], same_run: bool = True) -> Any:
    """Whether the seconds of two points differ, as `margin` has it; False where nobody knows."""
    return numpy.abs(numpy.log(one["seconds"] / other["seconds"])) > margin(one, other, same_run)
