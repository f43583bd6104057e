"""How small a step of a library the history would have shown: the detector is asked.

A step is planted into what is recorded of each library, and made larger until the detector finds
it, in the noise that is there, up or down, where it is seen worst: two results from either end. Of
a long history the results at that end (NEAR) are noise enough.
"""

import itertools
from collections.abc import Sequence

import numpy
from pandas import DataFrame, Series

from scripts.change_points import detector
from scripts.change_points.families import Family
from scripts.words.formats import as_percent, percent
from scripts.words.vocabulary import ALL, DTYPE, LINK, MEMORY

LARGER = 1.1  # from one try to the next
NEAR = 20  # results
MOST = numpy.log(2)  # nobody asks for more
Judged = tuple[Family, Series]  # with the logarithm that a step of each of its series is above


def of_libraries(judged: Sequence[Judged]) -> str:
    """'; a step of a library of 1.7 % or more in pinned memory would have been found': of each
    memory that of the worst library. '' where none has results enough."""
    worst: dict[str, float] = {}
    for family, least in judged:
        if family.method not in (ALL, LINK["method"]):
            same = family.logs.index.get_level_values("dtype") == DTYPE  # the same bytes suffice
            found = step(family.logs[same], least[same], family.by_ratio)
            worst[family.memory] = max(found, worst.get(family.memory, 0))
    parts = [
        f"of {percent(as_percent(worst[memory]))} or more in {memory} memory"
        for memory in MEMORY
        if worst.get(memory, numpy.inf) <= MOST
    ]
    return f"; a step of a library {' or '.join(parts)} would have been found" if parts else ""


def step(logs: DataFrame, least: Series, by_ratio: bool) -> float:
    """The least that is found in such a family as detector.find takes, which has none; a logarithm,
    infinity if it is more than MOST."""
    size = float(least.min())
    if len(logs.columns) < detector.FEWEST:
        return numpy.inf
    first, last = logs.iloc[:, :NEAR], logs.iloc[:, -NEAR:]
    ends = (first, first.columns[2]), (last, last.columns[max(2, len(last.columns) - 2)])
    for (near, place), sign in itertools.product(ends, (1, -1)):
        enough = near.notna().sum(axis=1) >= detector.FEWEST
        near, bounds = near[enough], least[enough]
        while not is_found(near + sign * size * (near.columns >= place), bounds, by_ratio):
            size *= LARGER
            if size > MOST:
                return numpy.inf
    return size


def is_found(planted: DataFrame, least: Series, by_ratio: bool) -> bool:
    """Whether most series show it: not those alone in which the noise helps."""
    changes, _ = detector.together(detector.find(planted, least, by_ratio), planted)
    return any(2 * len(members) > len(planted) for *_, members in changes)
