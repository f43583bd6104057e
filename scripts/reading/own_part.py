"""What a method did by itself, and what all methods of its visits did together.

Over commits, over two runs or over dtypes: each is measured in visits of its own, with a drift of
its own, which all methods of a visit share. The mean of all but the one that is farthest off stands
for it, so that a method that changed neither hides in it nor moves the others; and of all but two,
if a second one changed otherwise than that one. Where two changed alike and two did not, nobody
knows which did: each change is said half as large then, and the other half is the others'.
"""

from collections.abc import Sequence

import numpy
from pandas import DataFrame

from scripts.words.thresholds import MOST_STAND, UNCHANGED_RATIO

SWEEPS = 3
MOVED = float(numpy.log1p(max(UNCHANGED_RATIO.values())))


def own(logs: DataFrame, point: Sequence[str]) -> DataFrame:
    """`logs` without each row's level and without what the methods of a point share in a column.

    `logs` has a row a method of a point, a column a commit (run, dtype); in its index the levels
    `point` tell the point. NaN where fewer than MOST_STAND methods were measured.
    """
    logs = logs.where(of_point(logs.notna(), point, "sum") >= MOST_STAND)
    for _ in range(SWEEPS):
        logs = logs.sub(logs.median(axis=1), axis=0)
        logs = logs - of_point(unmoved(logs, point), point, "mean")
    return logs


def shared(logs: DataFrame, point: Sequence[str]) -> DataFrame:
    """What all methods of a point did together, a row a point, from logarithms of seconds."""
    logs = logs.sub(logs.median(axis=1), axis=0)
    return unmoved(logs, point).groupby(level=point, dropna=False).mean()


def unmoved(logs: DataFrame, point: Sequence[str]) -> DataFrame:
    """`logs` without that of each point and column that is farthest off; and without the second
    one, if it is off by more than two runs differ by, and apart from the first by as much."""
    kept = without_the_farthest(logs, point)
    fewer = without_the_farthest(kept, point)
    first = of_point(logs.where(kept.isna()), point, "mean")
    second = of_point(kept.where(fewer.isna()), point, "mean")
    off = (second - of_point(kept, point, "median")).abs() > MOVED
    off &= (second - first).abs() > MOVED
    return fewer.where(off & (of_point(fewer, point, "count") >= 2), kept)


def of_point(values: DataFrame, point: Sequence[str], what: str) -> DataFrame:
    """For each row and column what `what` makes of its point's."""
    return values.groupby(level=point, dropna=False).transform(what)


def without_the_farthest(logs: DataFrame, point: Sequence[str]) -> DataFrame:
    """`logs` without that of each point and column that is farthest from the median."""
    away = (logs - of_point(logs, point, "median")).abs()
    farthest = of_point(away, point, "max")
    return logs.where((away < farthest) | farthest.eq(0))
