"""A machine's history parted into families: the series of one method, direction and memory.

Where all methods were measured in turn, a family is of a method's own part, which does not see that
the host was slow; and what all did together, which is a driver's doing or the host's, is a family
of its own, in seconds. Else, and of the link, it is of the seconds.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy
from pandas import DataFrame

from scripts.reading.own_part import own, shared
from scripts.words.vocabulary import ALL

SERIES = ["operation", "nbytes", "dtype"]  # of a family


class Family(NamedTuple):
    method: str  # or "link", or ALL
    memory: str
    direction: str
    by_ratio: bool
    logs: DataFrame  # a row a SERIES, a column a place; NaN where it was not measured


def of(rows: DataFrame) -> Iterator[Family]:
    """The families of `rows`, one of each series and `place`, the number of its commit."""
    for direction, part in rows.groupby("direction", sort=False):
        yield from of_direction(part, str(direction))


def of_direction(rows: DataFrame, direction: str) -> Iterator[Family]:
    point = ["memory", *SERIES]
    table = rows.set_index([*point, "method", "place"])
    seconds = numpy.log(table["seconds"].unstack("place"))
    ratios = own(table["relative"].unstack("place"), point)
    for (method, memory), logs in seconds.groupby(level=["method", "memory"], sort=False):
        parts = ratios.loc[logs.index]
        by_ratio = 2 * parts.notna().sum(axis=None) > logs.notna().sum(axis=None)
        logs = (parts if by_ratio else logs).dropna(axis=1, how="all")
        logs = logs.droplevel(["method", "memory"])
        yield Family(method, memory, direction, bool(by_ratio), logs)
    together = shared(seconds - ratios, point).dropna(how="all")
    for memory, logs in together.groupby(level="memory", sort=False):
        logs = logs.dropna(axis=1, how="all").droplevel("memory")
        yield Family(ALL, memory, direction, False, logs)
