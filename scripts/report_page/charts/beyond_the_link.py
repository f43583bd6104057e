"""Microseconds that a pinned transfer takes beyond what the link takes for its bytes, over size.

The link is what Link measured of it, at the same size: copies queued one after the other. It is
measured in other processes, so of a large transfer the difference is lost in the noise. There an
upper limit is drawn, not a number.
"""

import altair
import numpy
import pandas

from scripts.report_page import look
from scripts.report_page.chart_data import data, digits, tooltip, transfers
from scripts.report_page.look import GREY
from scripts.words.formats import duration
from scripts.words.vocabulary import DTYPE, MEMORY, OTHERS

TITLE = "Beyond the link"
CAPTION = (
    "What a pinned transfer takes beyond the link's own time for the same bytes: the library, the "
    "call, the wait and, into a new array, its memory (cudaMalloc, where there is no pool). "
    "float32, with 99 % intervals. Grey: it cannot be told from nothing, and is less than this."
)


def draw(points: pandas.DataFrame, static: bool = False) -> altair.FacetChart | None:
    chosen = points["dtype"].eq(DTYPE) & points["memory"].eq(MEMORY[0]) & points["status"].eq("ok")
    rows = beyond(transfers(points[chosen]), points[points["benchmark"].eq(OTHERS["link"])])
    if rows.empty:
        return None
    fields = ["machine", "panel", "method", "size", "beyond", "low", "high", "at"]
    shown_data = data(rows, *fields, "said", "in_all", "of_link")
    names = look.methods(points)
    methods_on, method_shown = look.switches("method", names)
    at, low = (look.upwards(field, "µs beyond the link") for field in ("at", "low"))
    shown = altair.Chart().transform_filter(method_shown)
    shown = shown.encode(x=look.across(rows), xOffset=look.beside(names))
    told = shown.transform_filter("isValid(datum.beyond)").encode(color=look.colour(names))
    lines = told.mark_line(strokeWidth=1.2, opacity=0.75).encode(y=at)
    bars = told.mark_rule(strokeWidth=2).encode(y=low, y2="high")
    marks = shown.mark_point(filled=True, size=45, opacity=1).encode(
        y=at,
        shape=look.shape(names),
        color=altair.when("isValid(datum.beyond)")
        .then(look.colour(names))
        .otherwise(altair.value(GREY)),
        tooltip=tooltip(
            ("said", "beyond the link"),
            ("in_all", "in all"),
            ("of_link", "the link"),
            about=["method", "size"],
            kind="N",
        ),
    )
    less = shown.transform_filter("!isValid(datum.beyond)").mark_text(text="↓", dy=10, color=GREY)
    layers = [lines, bars, less.encode(y=at), marks]
    return look.panels(layers, shown_data, rows, methods_on)


def beyond(rows: pandas.DataFrame, link: pandas.DataFrame) -> pandas.DataFrame:
    """`rows` that the link was measured at the size of, with `beyond`, `low` and `high` in µs.

    `beyond` and `low` are NaN where 0 is within the interval; `at` is where the mark is: `beyond`,
    or `high` if it is not known.
    """
    columns = ["machine", "nbytes", "seconds", "seconds_high_99"]
    link = link.loc[link["status"].eq("ok"), columns]
    rows = rows.merge(link, on=columns[:2], suffixes=("", "_link"))
    more = rows["seconds"] - rows["seconds_link"]
    off = numpy.hypot(
        *(rows[f"seconds_high_99{of}"] - rows[f"seconds{of}"] for of in ("", "_link"))
    )
    rows["high"] = digits(1e6 * (more + off), 3)
    rows["low"] = digits(1e6 * (more - off), 3)
    rows["beyond"] = digits(1e6 * more.where(more > off), 3)
    rows["at"] = rows["beyond"].fillna(rows["high"])
    rows["in_all"], rows["of_link"] = (rows[f"seconds{of}"].map(duration) for of in ("", "_link"))
    rows["said"] = [
        f"{one.beyond:g} µs (99 %: {one.low:g} to {one.high:g})"
        if one.beyond > 0
        else f"less than {one.high:g} µs (99 %)"
        for one in rows.itertuples()
    ]
    return rows[rows["at"].notna()].sort_values("nbytes", kind="stable")
