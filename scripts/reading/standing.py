"""Which method is the fastest at a point, which cannot be told from it, what the others cost.

By their ratios within visits (ratios.py). Where they were not all measured in the same visits, by
their seconds, which carry what the host drifted by meanwhile.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy
import pandas

from scripts.reading import intervals


def by_ratio(rows: pandas.DataFrame) -> bool:
    """Whether all `rows`, the methods of one point, were measured in the same visits."""
    return bool(rows["relative"].notna().all())


def of_methods(rows: pandas.DataFrame, point: Sequence[str] = ()) -> pandas.DataFrame:
    """`rows`, the methods of one point, the fastest first, with `cost`, `margin` and `apart`; of
    several points, which the columns `point` tell, one behind the other.

    `cost` is by how much the logarithm of a method's seconds is above the fastest one's, `margin`
    by how much it must be to be told from it, at 99 %, and `apart` whether it is. Where the spread
    is not known the margin is NaN, and nothing is apart. The fastest is not apart from itself.
    """
    which = rows.groupby([*point], observed=True).ngroup() if point else rows["seconds"] * 0
    ratios = rows["relative"].notna().groupby(which).transform("all")
    level = rows["relative"].where(ratios, numpy.log(rows["seconds"]))
    rows = rows.assign(cost=level - level.groupby(which).transform("min"))
    order = numpy.lexsort([rows["cost"], which])
    rows, which, ratios = rows.iloc[order], which.iloc[order], ratios.iloc[order]
    first = rows.iloc[numpy.flatnonzero(~which.duplicated())[pandas.factorize(which)[0]]]
    seconds = intervals.margin(rows, first.set_index(rows.index))
    rows["margin"] = margin(rows).where(ratios, seconds)
    rows["apart"] = rows["cost"].gt(rows["margin"])
    return rows


def margin(rows: Mapping[str, Any]) -> Any:
    """By how much the `relative` of two methods of a point must differ to be told apart."""
    return intervals.quantile(rows["relative_df"]) * error(rows) * numpy.sqrt(2)


def error(rows: Mapping[str, Any]) -> Any:
    """The standard error of one method's own part in its `relative`."""
    visits = numpy.asarray(rows["visits"], float)
    return rows["relative_sd"] / numpy.sqrt(visits)
