"""GB/s over size: a panel each memory and operation, the ceiling and the host's copy as lines.

float32 is shown, the other dtypes can be switched on.
"""

from collections.abc import Mapping

import altair
import pandas

from scripts.report_page import look
from scripts.report_page.chart_data import (
    RATES,
    data,
    in_every_panel,
    tooltip,
    transfers,
    with_numbers,
)
from scripts.report_page.look import GREY, LEGEND
from scripts.words.vocabulary import DTYPE, OTHERS

TITLE = "Bandwidth"
CAPTION = (
    "Each panel has the same axes. Dashed: the most that the link carries while it is "
    "kept busy. Dotted: NumPy to NumPy on the same host, float32."
)


def draw(points: pandas.DataFrame, static: bool = False) -> altair.FacetChart | None:
    rows = transfers(points)
    if static:
        rows = rows[rows["dtype"].eq(DTYPE)]
    lines = {
        "the link's ceiling": points["benchmark"].eq(OTHERS["link"]),
        "the host's own copy": points["benchmark"].eq(OTHERS["copy"]) & points["dtype"].eq(DTYPE),
    }
    return curves(rows, {kind: points[which] for kind, which in lines.items()}, static)


def curves(
    rows: pandas.DataFrame, limits: Mapping[str, pandas.DataFrame], static: bool
) -> altair.FacetChart | None:
    """GB/s of `rows` (chart_data.transfers) over size, and the `limits` in every panel, by kind."""
    rows = rows[rows["status"].eq("ok")].sort_values("nbytes", kind="stable")
    if rows.empty:
        return None
    names, dtypes = look.methods(rows), look.present(rows, "dtype")
    about = ["method", "size"] + ["dtype"] * bool(dtypes)
    lines = [in_every_panel(with_numbers(line), kind, rows) for kind, line in limits.items()]
    fields = ["machine", "panel", "kind", *about, "rate", "rate_low", "rate_high", "us"]
    shown_data = data(pandas.concat([rows.assign(kind="transfer"), *lines]), *fields)
    methods_on, method_shown = look.switches("method", names)
    dtypes_on, dtype_shown = look.switches("dtype", dtypes, on=[DTYPE])
    across = look.across(rows)
    across = across.scale(paddingInner=0.5, paddingOuter=0.25)  # what is at one size is near it
    rate, low = (look.upwards(field, "GB/s") for field in ("rate", "rate_low"))
    shown = altair.Chart().transform_filter("datum.kind === 'transfer'")
    shown = shown.transform_filter(method_shown).transform_filter(dtype_shown)
    shown = shown.encode(x=across, xOffset=look.beside(names), color=look.colour(names, static))
    shown = shown.encode(detail=["dtype:N"] * bool(dtypes))
    bands = shown.mark_area(opacity=0.2).encode(y=low, y2="rate_high")
    curves = shown.mark_line(strokeWidth=1.2, opacity=0.75).encode(y=rate)
    marks = shown.mark_point(filled=True, size=32, opacity=1).encode(
        y=rate, shape=look.shape(names, static), tooltip=tooltip(*RATES, about=about)
    )
    dash = altair.StrokeDash("kind:N", title=None, legend=LEGEND)
    dash = dash.scale(domain=list(limits), range=[[7, 3], [2, 3]])
    limit = altair.Chart().transform_filter("datum.kind !== 'transfer'")
    limit = limit.mark_line(color=GREY, strokeWidth=1.6).encode(
        x=across, y=rate, strokeDash=dash, tooltip=tooltip(*RATES[:3], about=["kind", "size"])
    )
    layers = [limit, bands, curves, marks]
    return look.panels(layers, shown_data, rows, methods_on + dtypes_on)
