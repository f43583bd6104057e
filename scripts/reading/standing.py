"""Which method is the fastest at a point, which cannot be told from it, what the others cost.

By their ratios within visits (ratios.py). Where they were not all measured in the same visits, by
their seconds, which carry what the host drifted by meanwhile.
"""

from collections.abc import Mapping
from typing import Any

import numpy
import pandas

from scripts.reading import intervals


def by_ratio(rows: pandas.DataFrame) -> bool:
    """Whether all `rows`, the methods of one point, were measured in the same visits."""
    return bool(rows["relative"].notna().all())


def of_methods(rows: pandas.DataFrame) -> pandas.DataFrame:
    """`rows`, the methods of one point, the fastest first, with `cost`, `margin` and `apart`.

    `cost` is by how much the logarithm of a method's seconds is above the fastest one's, `margin`
    by how much it must be to be told from it, at 99 %, and `apart` whether it is. Where the spread
    is not known the margin is NaN, and nothing is apart. The fastest is not apart from itself.
    """
    ratios = by_ratio(rows)
    level = rows["relative"] if ratios else numpy.log(rows["seconds"])
    rows = rows.assign(cost=level - level.min()).sort_values("cost", kind="stable")
    first = rows.iloc[0]
    rows["margin"] = margin(rows) if ratios else intervals.margin(rows, first)
    rows["apart"] = rows["cost"].gt(rows["margin"])
    return rows


def margin(rows: Mapping[str, Any]) -> Any:
    """By how much the `relative` of two methods of a point must differ to be told apart."""
    return intervals.quantile(rows["relative_df"]) * error(rows) * numpy.sqrt(2)


def error(rows: Mapping[str, Any]) -> Any:
    """The standard error of one method's own part in its `relative`."""
    visits = numpy.asarray(rows["visits"], float)
    return rows["relative_sd"] / numpy.sqrt(visits)
