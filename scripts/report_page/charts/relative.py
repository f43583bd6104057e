"""Per cent longer than the fastest, over size; grey: what cannot be told from the fastest.

float32, from the ratios within visits (reading/standing.py).
"""

import altair
import numpy
import pandas

from scripts.report_page import look
from scripts.report_page.chart_data import STANDING, data, standings, tooltip, transfers
from scripts.report_page.look import GREY
from scripts.words.vocabulary import DTYPE

TITLE = "How much longer than the fastest?"
CAPTION = (
    "Zero is the fastest library of that size, float32. Grey marks cannot be told from the fastest "
    "(99 %): a library has to lie above the grey bar. What lies beyond the axis is drawn at its "
    "end, with its number."
)
FAR = 2.0  # times what nine of ten are below: what is more would squash the rest


def draw(points: pandas.DataFrame, static: bool = False) -> altair.FacetChart | None:
    rows = transfers(points[points["dtype"].eq(DTYPE) & points["status"].eq("ok")])
    if rows.empty:
        return None
    rows = standings(rows, "machine", "panel", "nbytes").sort_values("nbytes", kind="stable")
    seen = rows["longer"][rows["longer"] <= FAR * max(rows["longer"].quantile(0.9), 10)]
    top = float(numpy.ceil(max(seen.max(), rows["margin"].max(), 1) / 5) * 5)
    rows["beyond"] = rows["longer"].map("{:.0f} %".format).where(rows["longer"] > top)
    fields = [name for name, _ in STANDING]
    shown_data = data(
        rows, "machine", "panel", "method", "size", "longer", "margin", "tied", "beyond", *fields
    )
    names = look.methods(points)
    methods_on, method_shown = look.switches("method", names)
    across = look.across(rows)
    longer, margin = (
        altair.Y(f"{field}:Q", title="% longer than the fastest").scale(
            domain=[0, top], nice=False, clamp=True
        )
        for field in ("longer", "margin")
    )
    band = altair.Chart().mark_bar(color=GREY, opacity=0.25, width=altair.expr("bandwidth('x')"))
    band = band.transform_aggregate(margin="max(margin)", groupby=["panel", "size"])
    band = band.encode(x=across, y=margin)
    shown = altair.Chart().transform_filter(method_shown)
    shown = shown.encode(x=across, xOffset=look.beside(names), y=longer)
    lines = shown.mark_line(strokeWidth=1.5, opacity=0.7).encode(color=look.colour(names))
    marks = shown.mark_point(filled=True, size=45, opacity=1).encode(
        color=altair.when("datum.tied === 'True'")
        .then(altair.value(GREY))
        .otherwise(look.colour(names)),
        shape=look.shape(names),
        tooltip=tooltip(*STANDING, about=["method", "size"], kind="N"),
    )
    far = shown.transform_filter("datum.beyond").mark_text(align="left", dx=7, fontSize=10)
    far = far.encode(text="beyond:N")
    return look.panels([band, lines, marks, far], shown_data, rows, methods_on)
