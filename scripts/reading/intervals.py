"""How sure a number is: 99 % intervals, and whether two numbers differ.

A point has as many independent measurements as it had processes, usually two, and two say nearly
nothing of their own spread. So the spread is that of all points of a kind together: of one run, one
operation and one kind of memory, below 4 MiB or from there on, since within such a kind processes
differ alike (docs/numbers.md, "How it is measured"). Runs differ a little more than their processes
do: for the difference of two runs the spread is widened by half.
"""

from math import isnan
from statistics import median

import numpy
from scipy.special import stdtrit  # scipy.stats has it as t.ppf, and takes a second to import

from scripts.words.thresholds import BETWEEN_RUNS, LEVEL
from scripts.words.vocabulary import LARGE

NUMBERS = "processes", "processes_quiet", "process_spread", "squares", "sentinel_seconds"
SHORTEST, LONGEST = 1e-12, 1e6  # seconds
KIND = ["machine", "commit", "environment", "benchmark", "memory", "large"]


def between_processes(samples, lines, measured):
    """How the processes of each point differ: the columns NUMBERS, as arrays; and of how many
    points the samples are none, as no measurement gives them.

    `samples` are the points' samples, those of each process behind each other; `lines` what
    noise.py has of each point, or None. A point whose samples are not those that the noise is of
    has no processes, and so has one with a sample that is no time.
    """
    spoiled = {index for index, taken in enumerate(samples) if not are_times(taken)}
    columns = {name: numpy.full(len(lines), numpy.nan) for name in NUMBERS}
    columns["processes"][:] = columns["processes_quiet"][:] = 0
    chunks = {}  # by length: (points, processes' samples)
    for index, (taken, line) in enumerate(zip(samples, lines, strict=False)):
        if not line or not measured[index] or index in spoiled:
            continue
        if sum(line["samples"]) != len(taken or []):
            continue
        start = 0
        for length in line["samples"]:
            owners, rows = chunks.setdefault(length, ([], []))
            owners.append(index)
            rows.append(taken[start : start + length])
            start += length
        quiet = zip(line["quiet"], line["samples"], strict=True)
        columns["processes_quiet"][index] = sum(one == all_ for one, all_ in quiet)
        if None not in line["sentinel"]:
            columns["sentinel_seconds"][index] = median(line["sentinel"])
    if not chunks:
        return columns, len(spoiled)
    owners = numpy.concatenate([owners for owners, _ in chunks.values()])
    logs = numpy.log(numpy.concatenate([numpy.median(rows, 1) for _, rows in chunks.values()]))
    count = numpy.bincount(owners, minlength=len(lines))
    some = numpy.maximum(count, 1)
    mean = numpy.bincount(owners, logs, len(lines)) / some
    squares = numpy.bincount(owners, (logs - mean[owners]) ** 2, len(lines))
    low, high = numpy.full(len(lines), numpy.inf), numpy.full(len(lines), -numpy.inf)
    numpy.minimum.at(low, owners, logs)
    numpy.maximum.at(high, owners, logs)
    columns["processes"] = count.astype(float)
    columns["squares"] = numpy.where(count > 0, squares, numpy.nan)
    columns["process_spread"] = numpy.where(count > 1, numpy.expm1(high - low), numpy.nan)
    return columns, len(spoiled)


def are_times(taken):
    """Whether all samples of a point are seconds that a transfer can take."""
    return not taken or (min(taken) > SHORTEST and max(taken) < LONGEST and not isnan(sum(taken)))


def add(points):
    """Add the columns `log_sd`, `degrees_of_freedom`, `seconds_low_99` and `seconds_high_99`.

    `points` has a row a point, with `processes` and `squares`, the sum of the squared deviations
    of its processes' log medians from their mean; `squares` is taken away. The pooled variance of
    a kind is the sum of the squares over that of (processes - 1); the interval is
    seconds / f to seconds * f with f = exp(t * log_sd / sqrt(processes)). Where no point of a kind
    has two processes all four are NaN.
    """
    known = points["status"].eq("ok") & points["processes"].gt(0)
    large = points["nbytes"].fillna(0).ge(LARGE)
    kinds = points.assign(
        large=large,
        sum=points["squares"].where(known, 0.0),
        free=(points["processes"] - 1).where(known, 0),
    ).groupby(KIND, observed=True, dropna=False, sort=False)
    free = kinds["free"].transform("sum").astype(float)
    free = free.where(known & free.gt(0))
    points["log_sd"] = numpy.sqrt(kinds["sum"].transform("sum") / free)
    points["degrees_of_freedom"] = free
    processes = points["processes"].where(points["processes"].gt(0))
    factor = numpy.exp(quantile(free) * points["log_sd"] / numpy.sqrt(processes))
    points["seconds_low_99"] = points["seconds"] / factor
    points["seconds_high_99"] = points["seconds"] * factor
    return points.drop(columns="squares")


def quantile(degrees_of_freedom):
    """What `LEVEL` of Student's t lies within, plus and minus."""
    return stdtrit(degrees_of_freedom, (1 + LEVEL) / 2)


def margin(one, other, same_run=True):
    """By how much the logarithms of two points' seconds must differ to be told apart, at 99 %.

    Student's t. Each is a row of the table, or several aligned ones. NaN where the spread is not
    known.
    """
    widen = 1.0 if same_run else BETWEEN_RUNS
    variance = 0.0
    for point in (one, other):
        processes = numpy.asarray(point["processes"], float)  # NaN, not NA: it compares as False
        with numpy.errstate(divide="ignore"):
            variance = variance + point["log_sd"] ** 2 / processes
    free = numpy.minimum(one["degrees_of_freedom"], other["degrees_of_freedom"])
    return widen * quantile(free) * numpy.sqrt(variance)


def differ(one, other, same_run=True):
    """Whether the seconds of two points differ, as `margin` has it; False where nobody knows."""
    return numpy.abs(numpy.log(one["seconds"] / other["seconds"])) > margin(one, other, same_run)
