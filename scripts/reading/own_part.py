"""What a method did by itself, and what all methods of its visits did together.

Over commits, over two runs or over dtypes: each is measured in visits of its own, with a drift of
its own, which all methods of a visit share. The mean of all but the one that is farthest off stands
for it, so that a method that changed neither hides in it nor moves the others.
"""

from collections.abc import Sequence

from pandas import DataFrame

from scripts.words.thresholds import MOST_STAND

SWEEPS = 3


def own(logs: DataFrame, point: Sequence[str]) -> DataFrame:
    """`logs` without each row's level and without what the methods of a point share in a column.

    `logs` has a row a method of a point, a column a commit (run, dtype); in its index the levels
    `point` tell the point. NaN where fewer than MOST_STAND methods were measured.
    """
    logs = logs.where(
        logs.notna().groupby(level=point, dropna=False).transform("sum") >= MOST_STAND
    )
    for _ in range(SWEEPS):
        logs = logs.sub(logs.median(axis=1), axis=0)
        logs = logs - without_the_farthest(logs, point).groupby(
            level=point, dropna=False
        ).transform("mean")
    return logs


def shared(logs: DataFrame, point: Sequence[str]) -> DataFrame:
    """What all methods of a point did together, a row a point, from logarithms of seconds."""
    logs = logs.sub(logs.median(axis=1), axis=0)
    return without_the_farthest(logs, point).groupby(level=point, dropna=False).mean()


def without_the_farthest(logs: DataFrame, point: Sequence[str]) -> DataFrame:
    """`logs` without that of each point and column that is farthest from the median."""
    away = (logs - logs.groupby(level=point, dropna=False).transform("median")).abs()
    farthest = away.groupby(level=point, dropna=False).transform("max")
    return logs.where((away < farthest) | farthest.eq(0))
