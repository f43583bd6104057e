"""How far each dtype lies from the mean of all, in per cent; in grey what noise explains."""

import altair
import numpy
import pandas

from scripts.reading import chosen, dtypes, intervals
from scripts.report_page import look
from scripts.report_page.chart_data import ABOUT, data, in_percent, tooltip, transfers
from scripts.report_page.look import GREY, LEGEND
from scripts.words.vocabulary import ALL

TITLE = "dtypes"
CAPTION = (
    "How much longer each dtype takes than the mean of all dtypes of the same method and size; "
    "where methods were measured in turn, against what these took. Grey: what noise alone "
    "explains (99 %)."
)


def draw(points: pandas.DataFrame, static: bool = False) -> altair.FacetChart | None:
    rows = dtypes.comparable(chosen.transfers(points))
    rows = transfers(rows[rows["method"].ne(ALL)])
    keys = ["machine", "panel", "method", "nbytes"]
    count = rows.groupby(keys)["dtype"].transform("nunique")
    rows = rows[count > 1].copy()
    if rows.empty:
        return None
    mean = rows.groupby(keys)["log"].transform("mean")
    rows["off"] = in_percent(rows["log"] - mean).round(2)
    spread = rows["sd"] * numpy.sqrt((1 - 1 / count[rows.index]) / rows["replicates"])
    rows["high"] = in_percent(intervals.quantile(rows["free"]) * spread).round(2)
    each = ["machine", "panel", "size"]
    noise = rows.groupby(each, observed=True, as_index=False)["high"].max()
    rows = pandas.concat([rows.assign(kind="dtype"), noise.assign(kind="noise")])
    rows["low"] = -rows["high"]
    shown_data = data(
        rows, "machine", "panel", "kind", *ABOUT, "nbytes", "off", "low", "high", "us"
    )
    names, kinds = look.methods(points), look.present(points, "dtype")
    methods_on, method_shown = look.switches("method", names)
    dtypes_on, dtype_shown = look.switches("dtype", kinds)
    across = look.across(rows.sort_values("nbytes"))
    off, low = (altair.Y(f"{field}:Q", title="% slower than the mean") for field in ("off", "low"))
    shown = altair.Chart().transform_filter("datum.kind === 'dtype'")
    shown = shown.transform_filter(method_shown).transform_filter(dtype_shown)
    marks = shown.mark_point(size=32, opacity=0.9).encode(
        x=across,
        xOffset=look.beside(names),
        y=off,
        color=look.colour(names, static),
        shape=altair.Shape("dtype:N", title=None, legend=LEGEND).scale(domain=kinds),
        tooltip=tooltip(("off", "% slower than the mean"), ("us", "µs")),
    )
    band = altair.Chart().transform_filter("datum.kind === 'noise'")
    band = band.mark_bar(color=GREY, opacity=0.2, width=altair.expr("bandwidth('x')")).encode(
        x=across, y=low, y2="high", tooltip=tooltip(("high", "noise, ± %"), about=["size"])
    )
    return look.panels([band, marks], shown_data, rows, methods_on + dtypes_on)
