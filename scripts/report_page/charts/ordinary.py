"""What to do with an ordinary array: each way against sending it as it is, over size."""

import re

import altair
import numpy
import pandas

from scripts.reading import intervals, standing
from scripts.report_page import look
from scripts.report_page.chart_data import data, plus_minus, taken, tooltip, with_numbers
from scripts.report_page.look import GREY, HEIGHT, NARROW, WIDTH
from scripts.words.formats import factor
from scripts.words.vocabulary import WAYS

TITLE = "An ordinary array"
CAPTION = (
    "How many times as fast as sending the array as it is (direct), the whole way counted. Grey "
    "band: cannot be told from direct (99 %). In staged-N-threads, N threads copy and send a part "
    "each. registered: page-locked beforehand, which is not counted. cold: the array is not in the "
    "CPU's caches. What lies below the axis is drawn at its end, with its number."
)
DIRECT, LEAST = "direct", 0.25  # the way held against, and where the axis begins
COLD = {"ordinary_warm": "", "ordinary_cold": " cold"}
APART = f"width < {NARROW} ? datum.up : 8"  # beside each other there is no room
TICKS = "datum.value < 1 ? '1/' + 1 / datum.value : datum.value"


def draw(points: pandas.DataFrame, static: bool = False) -> altair.TopLevelMixin | None:
    rows = points[points["operation"].isin(list(COLD)) & points["status"].eq("ok")]
    rows = rows.sort_values(["operation", "nbytes"], ascending=[False, True], kind="stable")
    each = rows.groupby(["machine", "operation", "nbytes"], observed=True, sort=False)
    rows = pandas.concat([rows[:0], *(against(one) for _, one in each)])
    if rows.empty:
        return None
    rows = told(with_numbers(rows))
    about = ["way", "size", "what", "takes", "stands", "sure"]
    shown = altair.Chart(
        data(rows, "machine", "operation", *about, "times", "low", "high", "far", "up")
    )
    names = look.present(rows, "way")
    menu, chosen = look.menus(rows, machine=None)
    across = look.across(rows)
    ticks = altair.Axis(values=[2.0**power for power in range(-2, 6)], labelExpr=TICKS)
    times, low = (
        altair.Y(f"{field}:Q", title="times as fast as direct", axis=ticks).scale(
            type="log", domainMin=LEAST, nice=False, clamp=True
        )
        for field in ("times", "low")
    )
    shown = shown.transform_filter(chosen)
    band = shown.transform_filter(f"datum.way === '{DIRECT}'").encode(x=across, y=low, y2="high")
    band = band.mark_bar(color=GREY, opacity=0.25, width=altair.expr("bandwidth('x')"))
    shown = shown.encode(x=across, xOffset=look.beside(names, "way"), y=times)
    lines = shown.transform_filter("datum.operation === 'ordinary_warm'")
    coloured = look.colour(names, kind="way")
    lines = lines.mark_line(strokeWidth=1.2, opacity=0.5).encode(color=coloured)
    marks = shown.mark_point(filled=True, size=55, opacity=1).encode(
        color=coloured,
        shape=look.shape(names, kind="way"),
        tooltip=tooltip(
            *(("what", "what"), ("takes", "measured"), ("stands", "against direct")),
            ("sure", "margin"),
            about=["way", "size"],
            kind="N",
        ),
    )
    far = (
        shown.transform_filter("datum.far")
        .mark_text(angle=270, align="left", dx=altair.expr(APART), fontSize=10)
        .encode(text="far:N")
    )
    chart = altair.layer(band, lines, marks, far).add_params(*menu)
    return chart.properties(width=2 * WIDTH if static else "container", height=1.3 * HEIGHT)


def against(rows: pandas.DataFrame) -> pandas.DataFrame:
    """`rows`, the ways of one size, with `times`, how many times as fast as DIRECT each is, and
    `margin`, by how much its logarithm must differ from 0; no rows without DIRECT."""
    direct = rows[rows["way"].eq(DIRECT)]
    if direct.empty:
        return direct
    ratios = standing.by_ratio(rows)
    level = rows["relative"] if ratios else numpy.log(rows["seconds"])
    margin = standing.margin(rows) if ratios else intervals.margin(rows, direct.iloc[0])
    return rows.assign(times=numpy.exp(level[direct.index[0]] - level), margin=margin)


def what(way: str) -> str:
    """'staged-4-threads' -> 'in 4 parts, each copied and sent by a thread'"""
    threads = re.fullmatch(r"staged-(\d+)-threads", way)
    if threads:
        return f"in {threads[1]} parts, each copied and sent by a thread"
    return WAYS.get(way, "")


def told(rows: pandas.DataFrame) -> pandas.DataFrame:
    """In words."""
    rows["size"] += rows["operation"].astype(str).map(COLD)
    rows["what"] = rows["way"].astype(str).map(what)
    rows["takes"] = taken(rows["nbytes"], rows["seconds"])
    rows["sure"] = plus_minus(rows["margin"])
    rows["low"], rows["high"] = numpy.exp(-rows["margin"]), numpy.exp(rows["margin"])
    apart = numpy.log(rows["times"]).abs().gt(rows["margin"])
    fast = rows["times"].map(factor) + " times as fast"
    slow = (1 / rows["times"]).map(factor) + " times as long"
    rows["stands"] = fast.where(rows["times"].gt(1), slow).where(apart, "cannot be told from it")
    rows["stands"] = rows["stands"].mask(rows["way"].eq(DIRECT), "itself")
    rows["far"] = ("1/" + (1 / rows["times"]).map(factor)).where(rows["times"].lt(LEAST))
    far = rows[rows["far"].notna()].groupby(["machine", "size"], observed=True)
    rows["up"] = 8 + 26 * far.cumcount()
    return rows.round({"times": 4, "low": 4, "high": 4})
