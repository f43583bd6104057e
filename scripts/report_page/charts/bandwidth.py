"""GB/s over size: a panel each memory and operation, the ceiling and the host's copy as lines.

float32 is shown, the other dtypes can be switched on.
"""

import altair
import pandas

from scripts.report_page.chart_data import (
    ABOUT,
    LOG_AXIS,
    RATES,
    data,
    in_every_panel,
    menus,
    present,
    tooltip,
    transfers,
    with_numbers,
)
from scripts.report_page.look import GREY, LEGEND, colour, methods, panels, shape, sizes, switches
from scripts.words.vocabulary import OTHERS

TITLE = "Bandwidth"
CAPTION = (
    "Each panel has the same axes. Dashed: the most that the link carries while it is "
    "kept busy. Dotted: NumPy to NumPy on the same host, float32."
)
LINES = {"the link's ceiling": OTHERS["link"], "the host's own copy": OTHERS["copy"]}


def draw(points: pandas.DataFrame, static: bool = False) -> altair.FacetChart:
    rows = transfers(points).assign(kind="transfer")
    lines = [
        in_every_panel(with_numbers(points[points["benchmark"].eq(name)]), kind, rows)
        for kind, name in LINES.items()
    ]
    lines[1] = lines[1][lines[1]["dtype"].eq("float32")]
    if static:
        rows = rows[rows["dtype"].eq("float32")]
    fields = ["machine", "panel", "kind", *ABOUT, "nbytes", "rate", "rate_low", "rate_high", "us"]
    shown_data = data(pandas.concat([rows, *lines]), *fields)
    names, dtypes = methods(points), present(rows, "dtype")
    menu, chosen = menus(rows, machine=None)
    methods_on, method_shown = switches("method", names)
    dtypes_on, dtype_shown = switches("dtype", dtypes, on=["float32"])
    base = altair.Chart().encode(x=sizes(rows))
    rate, low = (
        altair.Y(f"{field}:Q", title="GB/s", axis=LOG_AXIS).scale(type="log", nice=False, padding=8)
        for field in ("rate", "rate_low")
    )
    shown = base.transform_filter("datum.kind === 'transfer'").encode(
        color=colour(names, static), detail="dtype:N"
    )
    shown = shown.transform_filter(method_shown).transform_filter(dtype_shown)
    bands = shown.mark_area(opacity=0.2).encode(y=low, y2="rate_high")
    curves = shown.mark_line(strokeWidth=1.8).encode(y=rate)
    marks = shown.mark_point(filled=True, size=45, opacity=1).encode(
        y=rate, shape=shape(names, static), tooltip=tooltip(*RATES)
    )
    dash = altair.StrokeDash("kind:N", title=None, legend=LEGEND)
    dash = dash.scale(domain=list(LINES), range=[[7, 3], [2, 3]])
    limits = base.transform_filter("datum.kind !== 'transfer'").encode(y=rate, strokeDash=dash)
    limits = limits.mark_line(color=GREY, strokeWidth=1.6).encode(
        tooltip=tooltip(*RATES[:3], about=["kind", "size"])
    )
    layers = [limits, bands, curves, marks]
    return panels(layers, shown_data, rows, menu + methods_on + dtypes_on, chosen)
