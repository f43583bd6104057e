"""GB/s over size: a panel each memory and operation, the ceiling and the host's copy as lines.

float32 is shown, the other dtypes can be switched on.
"""

from collections.abc import Mapping

import altair
import pandas

from scripts.report_page.chart_data import (
    LOG_AXIS,
    RATES,
    STRAIGHT,
    data,
    in_every_panel,
    menus,
    present,
    tooltip,
    transfers,
    with_numbers,
)
from scripts.report_page.look import GREY, LEGEND, beside, colour, methods, panels, shape, switches
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
    names, dtypes, order = methods(rows), present(rows, "dtype"), present(rows, "size")
    about = ["method", "size"] + ["dtype"] * bool(dtypes)
    lines = [in_every_panel(with_numbers(line), kind, rows) for kind, line in limits.items()]
    fields = ["machine", "panel", "kind", *about, "rate", "rate_low", "rate_high", "us"]
    shown_data = data(pandas.concat([rows.assign(kind="transfer"), *lines]), *fields)
    menu, chosen = menus(rows, machine=None)
    methods_on, method_shown = switches("method", names)
    dtypes_on, dtype_shown = switches("dtype", dtypes, on=[DTYPE])
    across = altair.X("size:N", sort=order, title="size of the array", axis=STRAIGHT)
    across = across.scale(paddingInner=0.5, paddingOuter=0.25)  # what is at one size is near it
    rate, low = (
        altair.Y(f"{field}:Q", title="GB/s", axis=LOG_AXIS).scale(type="log", nice=False, padding=8)
        for field in ("rate", "rate_low")
    )
    shown = altair.Chart().transform_filter("datum.kind === 'transfer'")
    shown = (
        shown.transform_filter(method_shown)
        .transform_filter(dtype_shown)
        .encode(
            x=across,
            xOffset=beside(names),
            color=colour(names, static),
            detail=["dtype:N"] * bool(dtypes),
        )
    )
    bands = shown.mark_area(opacity=0.2).encode(y=low, y2="rate_high")
    curves = shown.mark_line(strokeWidth=1.2, opacity=0.75).encode(y=rate)
    marks = shown.mark_point(filled=True, size=32, opacity=1).encode(
        y=rate, shape=shape(names, static), tooltip=tooltip(*RATES, about=about)
    )
    dash = altair.StrokeDash("kind:N", title=None, legend=LEGEND)
    dash = dash.scale(domain=list(limits), range=[[7, 3], [2, 3]])
    limit = altair.Chart().transform_filter("datum.kind !== 'transfer'")
    limit = limit.mark_line(color=GREY, strokeWidth=1.6).encode(
        x=across, y=rate, strokeDash=dash, tooltip=tooltip(*RATES[:3], about=["kind", "size"])
    )
    layers = [limit, bands, curves, marks]
    return panels(layers, shown_data, rows, menu + methods_on + dtypes_on, chosen)
