"""The rows of points.py's table as the charts take them: what to show, in words and rounded."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair
import numpy
import pandas
from pandas import DataFrame

from scripts.reading import standing
from scripts.report_page.look import PANELS
from scripts.words.formats import as_percent, duration, percent, rate, size
from scripts.words.vocabulary import IN_RATES, TRANSFERS

THERE = {name: one.into for name, one in TRANSFERS.items()}
ABOUT = ["method", "dtype", "size"]
RATES = ("rate", "GB/s"), ("rate_low", "99 % from"), ("rate_high", "to"), ("us", "µs")
TIMES = ("us", "µs"), ("us_low", "99 % from"), ("us_high", "to")
STANDING = ("takes", "measured"), ("stands", "beside the fastest"), ("sure", "margin")


def transfers(points: DataFrame, into_what: Mapping[str, str] = THERE) -> DataFrame:
    """The rows of HostToDevice, with what the charts call things, rounded for the page.

    `into_what` has other operations, and the array that each transfers into.
    """
    rows = points[points["operation"].isin(list(into_what))].copy()
    into = rows["operation"].astype(str).map(into_what)
    rows["panel"] = rows["memory"].astype(str) + " memory, " + into
    rows["into"] = into
    return with_numbers(rows)


def with_numbers(rows: DataFrame) -> DataFrame:
    """Add GB/s, microseconds, the ends of their 99 % intervals, and the size in words."""
    rows = rows.copy()
    rows["size"] = [size(nbytes) for nbytes in rows["nbytes"].astype(float)]
    for name, column, factor in (("rate", "gb_per_s", 1), ("us", "seconds", 1e6)):
        rows[name] = digits(factor * rows[column])
        for end in "_low", "_high":
            rows[f"{name}{end}"] = digits(factor * rows[f"{column}{end}_99"].fillna(rows[column]))
    return rows


def standings(rows: DataFrame, *keys: str) -> DataFrame:
    """`rows` with how each stands beside the fastest of those that are alike in `keys`.

    `longer` is the per cent that it takes longer, `margin` the per cent from which on that is told,
    at 99 %, `tied` whether it cannot be told from the fastest; `takes`, `stands` and `sure` say so.
    """
    rows = standing.of_methods(rows, keys)
    alike = (~rows["apart"]).groupby([rows[key] for key in keys], observed=True)
    rows["tied"] = ~rows["apart"] & alike.transform("sum").gt(1)
    rows["longer"] = in_percent(rows["cost"]).round(2)
    rows["sure"] = plus_minus(rows["margin"])
    rows["margin"] = in_percent(rows["margin"]).round(2)
    rows["takes"] = taken(rows["nbytes"], rows["seconds"])
    rows["stands"] = (rows["longer"].map(percent) + " longer").where(rows["apart"], "the fastest")
    rows["stands"] = rows["stands"].mask(rows["tied"], "cannot be told from the fastest")
    rows["stands"] = rows["stands"].mask(alike.transform("size").eq(1), "nothing else was measured")
    return rows


def in_percent(logarithms: Any) -> Any:
    """formats.as_percent of many."""
    return 100 * numpy.expm1(logarithms)


def plus_minus(margins: pandas.Series) -> pandas.Series:
    """In words, of logarithms."""
    return "± " + margins.map(as_percent).map(percent) + " (99 %)"


def taken(sizes: Iterable[int], seconds: Iterable[float]) -> list[str]:
    """Of each transfer, '9.8 µs', or '54.1 GB/s' where it is large."""
    return [
        duration(took) if nbytes < IN_RATES else f"{rate(nbytes / took / 1e9)} GB/s"
        for nbytes, took in zip(sizes, seconds, strict=True)
    ]


def digits(values: Any, count: int = 5) -> numpy.ndarray:
    """`values` with `count` significant digits, which is more than they are good for."""
    values = numpy.asarray(values, float)
    scale = 10.0 ** (count - 1 - numpy.floor(numpy.log10(numpy.where(values > 0, values, 1))))
    return numpy.where(values > 0, numpy.round(values * scale) / scale, numpy.nan)


def data(rows: DataFrame, *columns: str) -> altair.InlineData:
    """`columns` of `rows` as a page takes them: CSV, which is a third of the JSON."""
    rows = rows[list(columns)]
    numbers = rows.select_dtypes("number").columns
    parse = {name: "number" if name in numbers else "string" for name in rows.columns}
    text = rows.to_csv(index=False, lineterminator="\n")
    return altair.InlineData(values=text, format=altair.CsvDataFormat(type="csv", parse=parse))


def in_every_panel(rows: DataFrame, kind: str, data: DataFrame) -> DataFrame:
    """`rows` once for each panel that `data` has, as a `kind` of their own."""
    found = [panel for panel in PANELS if panel in set(data["panel"])]
    return pandas.concat([rows.assign(panel=panel, kind=kind) for panel in found] or [rows[:0]])


def tooltip(
    *numbers: tuple[str, str], about: Sequence[str] = ABOUT, kind: str = "Q"
) -> list[altair.Tooltip]:
    """What is shown on hover: what the point is, then (field, title) of its numbers, or texts."""
    texts = [altair.Tooltip(f"{field}:N") for field in about]
    return texts + [altair.Tooltip(f"{field}:{kind}", title=title) for field, title in numbers]
