"""The report's charts, each from rows of the table of points.py.

Each function returns an Altair chart. What was not measured is a gap; nothing is drawn as zero.
`static` is for a file, where nothing can be switched: it has a legend of the methods.
"""

import altair
import numpy
import pandas

from scripts.reading import intervals
from scripts.report_page.chart_data import (
    data,
    digits,
    in_every_panel,
    menus,
    present,
    transfers,
    with_numbers,
)
from scripts.report_page.look import (
    GREY,
    HEIGHT,
    WIDTH,
    colour,
    legend,
    methods,
    panels,
    shape,
    sizes,
    switches,
)
from scripts.words.vocabulary import OTHERS, SMALL

STRAIGHT = altair.Axis(labelAngle=0, labelExpr="split(datum.label, ' ')", grid=False)
LOG_AXIS = altair.Axis(values=[0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300], format="~")
ABOUT = ["method", "dtype", "size"]
LINES = {
    "the link's ceiling": OTHERS["link"],
    "the host's own copy": OTHERS["copy"],
}


RATES = ("rate", "GB/s"), ("rate_low", "99 % from"), ("rate_high", "to"), ("us", "µs")
TIMES = ("us", "µs"), ("us_low", "99 % from"), ("us_high", "to")


def tooltip(*numbers, about=ABOUT):
    """What is shown on hover: what the point is, then (field, title) of its numbers."""
    texts = [altair.Tooltip(f"{field}:N") for field in about]
    return texts + [altair.Tooltip(f"{field}:Q", title=title) for field, title in numbers]


def bandwidth(points, static=False):
    """GB/s over size: a panel each memory and operation, the ceiling and the host's copy as lines.

    float32 is shown, the other dtypes can be switched on.
    """
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
        color=colour(names, legend(static)), detail="dtype:N"
    )
    shown = shown.transform_filter(method_shown).transform_filter(dtype_shown)
    bands = shown.mark_area(opacity=0.2).encode(y=low, y2="rate_high")
    curves = shown.mark_line(strokeWidth=1.8).encode(y=rate)
    marks = shown.mark_point(filled=True, size=45, opacity=1).encode(
        y=rate, shape=shape(names, legend(static)), tooltip=tooltip(*RATES)
    )
    dash = altair.StrokeDash("kind:N", title=None, legend=legend(True))
    dash = dash.scale(domain=list(LINES), range=[[7, 3], [2, 3]])
    limits = base.transform_filter("datum.kind !== 'transfer'").encode(y=rate, strokeDash=dash)
    limits = limits.mark_line(color=GREY, strokeWidth=1.6).encode(
        tooltip=tooltip(*RATES[:3], about=["kind", "size"])
    )
    layers = [limits, bands, curves, marks]
    return panels(layers, shown_data, set(rows["panel"]), menu + methods_on + dtypes_on, chosen)


def latency(points, static=False):
    """Microseconds at the small sizes, float32, and the harness's floor below them."""
    rows = transfers(points[points["dtype"].eq("float32") & points["nbytes"].le(SMALL)])
    rows = rows.assign(kind="transfer")
    floor = points["benchmark"].eq(OTHERS["nothing"]) & points["wait"].eq("device")
    floor = in_every_panel(with_numbers(points[floor]), "the harness's floor", rows)
    fields = ["machine", "panel", "kind", *ABOUT, "us", "us_low", "us_high"]
    shown_data = data(pandas.concat([rows, floor]), *fields)
    names, order = methods(points), present(rows.sort_values("nbytes"), "size")
    menu, chosen = menus(rows, machine=None)
    methods_on, method_shown = switches("method", names)
    shown = altair.Chart().transform_filter("datum.kind === 'transfer'")
    shown = shown.transform_filter(method_shown).encode(
        x=altair.X("size:N", sort=order, title="size of the array", axis=STRAIGHT),
        xOffset=altair.XOffset("method:N", sort=names),
        color=colour(names, legend(static)),
    )
    micros, low = (altair.Y(f"{field}:Q", title="µs") for field in ("us", "us_low"))
    bars = shown.mark_rule(strokeWidth=2).encode(y=low, y2="us_high")
    marks = shown.mark_point(filled=True, size=55, opacity=1).encode(
        y=micros, shape=shape(names, legend(static)), tooltip=tooltip(*TIMES)
    )
    dash = altair.StrokeDash("kind:N", title=None, legend=legend(True))
    dash = dash.scale(domain=["the harness's floor"], range=[[7, 3]])
    rule = altair.Chart().transform_filter("datum.kind !== 'transfer'").encode(strokeDash=dash)
    rule = rule.mark_rule(color=GREY, strokeWidth=1.6).encode(
        y=micros, tooltip=tooltip(*TIMES, about=["kind"])
    )
    return panels(
        [rule, bars, marks], shown_data, set(rows["panel"].dropna()), menu + methods_on, chosen
    )


def dtypes(points, static=False):
    """How far each dtype lies from the mean of all, in per cent; in grey what noise explains."""
    rows = transfers(points[points["status"].eq("ok")])
    rows["log"] = numpy.log(rows["seconds"])
    same = rows.groupby(["machine", "panel", "method", "nbytes"], observed=True)
    rows = rows[same["dtype"].transform("nunique") > 1].copy()
    same = rows.groupby(["machine", "panel", "method", "nbytes"], observed=True)
    rows["off"] = numpy.round(100 * numpy.expm1(rows["log"] - same["log"].transform("mean")), 2)
    count = same["dtype"].transform("nunique")
    spread = rows["log_sd"] * numpy.sqrt((1 - 1 / count) / rows["processes"].astype(float))
    high = 100 * numpy.expm1(intervals.quantile(rows["degrees_of_freedom"]) * spread)
    rows["high"] = numpy.round(high, 2)
    each = ["machine", "panel", "size"]
    noise = rows.groupby(each, observed=True, as_index=False)["high"].max()
    rows = pandas.concat([rows.assign(kind="dtype"), noise.assign(kind="noise")])
    rows["low"] = -rows["high"]
    shown_data = data(
        rows, "machine", "panel", "kind", *ABOUT, "nbytes", "off", "low", "high", "us"
    )
    names, kinds = methods(points), present(points, "dtype")
    order = present(rows.sort_values("nbytes"), "size")
    menu, chosen = menus(rows, machine=None)
    methods_on, method_shown = switches("method", names)
    dtypes_on, dtype_shown = switches("dtype", kinds)
    across = altair.X("size:N", sort=order, title="size of the array", axis=STRAIGHT)
    off, low = (altair.Y(f"{field}:Q", title="% slower than the mean") for field in ("off", "low"))
    shown = altair.Chart().transform_filter("datum.kind === 'dtype'")
    shown = shown.transform_filter(method_shown).transform_filter(dtype_shown)
    marks = shown.mark_point(size=32, opacity=0.9).encode(
        x=across,
        xOffset=altair.XOffset("method:N", sort=names),
        y=off,
        color=colour(names, legend(static)),
        shape=altair.Shape("dtype:N", title=None, legend=legend(True)).scale(domain=kinds),
        tooltip=tooltip(("off", "% slower than the mean"), ("us", "µs")),
    )
    band = altair.Chart().transform_filter("datum.kind === 'noise'")
    band = band.mark_bar(color=GREY, opacity=0.2, width=altair.expr("bandwidth('x')")).encode(
        x=across, y=low, y2="high", tooltip=tooltip(("high", "noise, ± %"), about=["size"])
    )
    return panels(
        [band, marks],
        shown_data,
        set(rows["panel"].dropna()),
        menu + methods_on + dtypes_on,
        chosen,
    )


def machines(points, static=False):
    """Several machines' float32 curves over each other, and the share of each one's ceiling.

    The colour is the method's, of which one is shown; the machines differ in shape and dash.
    """
    rows = transfers(points[points["dtype"].eq("float32")])
    link = points[points["benchmark"].eq(OTHERS["link"])]
    link = link.set_index(["machine", "nbytes"])["gb_per_s"]
    keys = pandas.MultiIndex.from_frame(rows[["machine", "nbytes"]])
    rows["share"] = digits(100 * rows["gb_per_s"] / link.reindex(keys).to_numpy())
    names, each = methods(points), present(rows, "machine")
    shown = altair.Chart(
        data(
            *(rows, "machine", "method", "memory", "into", "size", "nbytes"),
            *("rate", "rate_low", "rate_high", "share", "us"),
        )
    )
    chosen_by = {"method": None, "memory": "pinned", "into": "existing array"}
    menu, chosen = menus(rows, **chosen_by)
    shown = shown.transform_filter(chosen)
    dash = altair.StrokeDash("machine:N", title=None, legend=legend(True)).scale(domain=each)
    shapes = altair.Shape("machine:N", title=None, legend=legend(True)).scale(domain=each)
    base = shown.encode(x=sizes(rows), color=colour(names, legend(static)))
    rate = altair.Y("rate:Q", title="GB/s", axis=LOG_AXIS).scale(type="log", nice=False, padding=8)
    share = altair.Y("share:Q", title="% of the link's ceiling").scale(zero=True)
    about = tooltip(*RATES, ("share", "% of the ceiling"), about=["machine", "method", "size"])
    views = [
        altair.layer(
            base.mark_line(strokeWidth=1.8).encode(y=y, strokeDash=dash),
            base.mark_point(size=60, opacity=1).encode(y=y, shape=shapes, tooltip=about),
        ).properties(width=WIDTH, height=HEIGHT, title=title)
        for y, title in ((rate, "GB/s"), (share, "Share of the ceiling"))
    ]
    return altair.concat(*views, columns=2).add_params(*menu)
