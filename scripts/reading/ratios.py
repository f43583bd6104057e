"""Ratios within visits, which do not see the host drift: a point's method against all of them.

A visit measures all methods of a point in turn, round by round. Round by round a method's seconds
are held against the mean of all; the mean of the middle half of the rounds is what the visit says,
and the mean of the visits is the point's `relative`, a logarithm. Which methods were measured may
differ from visit to visit; of each point those visits count that have the most.
"""

import math
from collections.abc import Iterable, Sequence

import numpy

from scripts.reading.processes import UNKNOWN, Processes

NUMBERS = "visits", "relative", "relative_squares", "relative_free"


def columns(
    taken: Iterable[Processes], shape: Sequence[int], axis: int | None
) -> dict[str, numpy.ndarray]:
    """The columns NUMBERS of a benchmark's points, whose parameters have `shape` many values.

    `axis` is the parameter whose values visits measure in turn; None if there is none.
    `relative_squares` are the squared deviations of a method's ratios from their mean, and
    `relative_free` is its share of the degrees of freedom that they have.
    """
    count = math.prod(shape)
    found = {name: numpy.full(count, numpy.nan) for name in NUMBERS}
    parts = [] if axis is None else [in_turn(one, shape, axis) for one in taken]
    if not any(len(owners) for owners, *_ in parts):
        return found
    owners, ratios, sets = map(numpy.concatenate, zip(*parts, strict=True))
    kept = largest(sets)
    owners, ratios, methods = owners[kept], ratios[kept], sets[kept, 1]
    visits = numpy.bincount(owners, minlength=count)
    some = numpy.maximum(visits, 1)
    mean = numpy.bincount(owners, ratios, count) / some
    squares = numpy.bincount(owners, (ratios - mean[owners]) ** 2, count)
    free = (visits - 1) * numpy.bincount(owners, 1 - 1 / methods, count) / some
    for name, values in zip(NUMBERS, (visits, mean, squares, free), strict=True):
        found[name] = numpy.where(visits, values, numpy.nan)
    return found


def in_turn(
    taken: Processes, shape: Sequence[int], axis: int
) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """What was measured in turn with others, a value a method and visit: the place of its point;
    its ratio; and of which methods the visit was: (the point without the method, how many methods,
    a number that tells which).
    """
    known = taken.visits != UNKNOWN
    owners, visits, logs = taken.owners[known], taken.visits[known], taken.logs[known]
    stride = math.prod(shape[axis + 1 :])
    method = owners // stride % shape[axis]
    point = owners - method * stride
    visits = visits * math.prod(shape) + point
    _, order = numpy.unique(visits * shape[axis] + method, return_index=True)
    first = numpy.flatnonzero(numpy.diff(visits[order], prepend=-1))
    number = numpy.diff(first, append=len(order))

    def in_visit(values: numpy.ndarray) -> numpy.ndarray:
        """Of each row the sum over its visit."""
        return numpy.repeat(numpy.add.reduceat(values[order], first), number, axis=0)

    methods = in_visit(numpy.ones_like(method))
    ratios = middle(logs[order] - in_visit(logs) / methods[:, None])
    sets = numpy.column_stack([point[order], methods, in_visit(1 << method % 62)])
    several = methods > 1
    return owners[order][several], ratios[several], sets[several]


def middle(logs: numpy.ndarray) -> numpy.ndarray:
    """The mean of the middle half of each row."""
    number = logs.shape[1]
    return numpy.sort(logs)[:, number // 4 : number - number // 4].mean(axis=1)


def largest(sets: numpy.ndarray) -> numpy.ndarray:
    """Whether each row of `sets` is its point's set of the most methods; of several such, that of
    the most visits. Of these visits the mean is of the same methods, so their ratios are alike."""
    distinct, which, times = numpy.unique(sets, axis=0, return_inverse=True, return_counts=True)
    order = numpy.lexsort([times, distinct[:, 1], distinct[:, 0]])
    last = numpy.diff(distinct[order, 0], append=-1) != 0
    return numpy.isin(which, order[last])
