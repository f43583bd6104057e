"""Microseconds at the small sizes, float32, and the harness's floor below them."""

import altair
import pandas

from scripts.report_page import look
from scripts.report_page.chart_data import (
    ABOUT,
    TIMES,
    data,
    in_every_panel,
    tooltip,
    transfers,
    with_numbers,
)
from scripts.report_page.look import GREY, LEGEND
from scripts.words.vocabulary import OTHERS, SMALL

TITLE = "Latency"
CAPTION = "What a transfer costs before its bytes count."


def draw(points: pandas.DataFrame, static: bool = False) -> altair.FacetChart | None:
    rows = transfers(points[points["dtype"].eq("float32") & points["nbytes"].le(SMALL)])
    if rows.empty:
        return None
    rows = rows.assign(kind="transfer")
    floor = points["benchmark"].eq(OTHERS["nothing"]) & points["wait"].eq("device")
    floor = in_every_panel(with_numbers(points[floor]), "the harness's floor", rows)
    fields = ["machine", "panel", "kind", *ABOUT, "us", "us_low", "us_high"]
    shown_data = data(pandas.concat([rows, floor]), *fields)
    names = look.methods(points)
    methods_on, method_shown = look.switches("method", names)
    shown = altair.Chart().transform_filter("datum.kind === 'transfer'")
    shown = shown.transform_filter(method_shown).encode(
        x=look.across(rows.sort_values("nbytes")),
        xOffset=look.beside(names),
        color=look.colour(names, static),
    )
    micros, low = (altair.Y(f"{field}:Q", title="µs") for field in ("us", "us_low"))
    bars = shown.mark_rule(strokeWidth=2).encode(y=low, y2="us_high")
    marks = shown.mark_point(filled=True, size=55, opacity=1).encode(
        y=micros, shape=look.shape(names, static), tooltip=tooltip(*TIMES)
    )
    dash = altair.StrokeDash("kind:N", title=None, legend=LEGEND)
    dash = dash.scale(domain=["the harness's floor"], range=[[7, 3]])
    rule = altair.Chart().transform_filter("datum.kind !== 'transfer'").encode(strokeDash=dash)
    rule = rule.mark_rule(color=GREY, strokeWidth=1.6).encode(
        y=micros, tooltip=tooltip(*TIMES, about=["kind"])
    )
    return look.panels([rule, bars, marks], shown_data, rows, methods_on)
