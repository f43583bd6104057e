"""What a method did by itself, of what all methods of its visits did together.

Over commits, over two runs or over dtypes: each is measured in visits of its own, with a drift of
its own, which all methods of a visit share. Their median stands for it, so that a method that
changed neither hides in it nor moves the others.
"""

from collections.abc import Sequence

import pandas

from scripts.words.thresholds import MOST_STAND

SWEEPS = 3  # of the median polish


def own(logs: pandas.DataFrame, point: Sequence[str]) -> pandas.DataFrame:
    """`logs` without each row's level and without what the methods of a point share in a column.

    `logs` has a row a method of a point, a column a commit (run, dtype); in its index the levels
    `point` tell the point. NaN where fewer than MOST_STAND methods were measured.
    """
    logs = logs.where(
        logs.notna().groupby(level=point, dropna=False).transform("sum") >= MOST_STAND
    )
    for _ in range(SWEEPS):
        logs = logs.sub(logs.median(axis=1), axis=0)
        logs = logs - logs.groupby(level=point, dropna=False).transform("median")
    return logs


def shared(logs: pandas.DataFrame, point: Sequence[str]) -> pandas.DataFrame:
    """What all methods of a point did together, a row a point, from logarithms of seconds."""
    logs = logs.sub(logs.median(axis=1), axis=0)
    return logs.groupby(level=point, dropna=False).median()
