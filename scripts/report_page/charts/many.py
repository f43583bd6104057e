"""256 small arrays: one by one, queued or packed, over the size of each."""

import altair
import pandas

from scripts.report_page import look
from scripts.report_page.chart_data import STANDING, data, digits, standings, tooltip, with_numbers
from scripts.report_page.look import HEIGHT, LEGEND, WIDTH
from scripts.words.formats import duration

TITLE = "Many small arrays"
CAPTION = (
    "What 256 arrays take together. one-by-one: ordinary arrays, each as if it were the only one. "
    "queued: arrays in pinned memory, all copies queued and waited for once. packed: ordinary "
    "arrays copied into one pinned buffer, and sent as one."
)
ARRAYS = 256  # of ManyArrays, whose seconds are those of one


def draw(points: pandas.DataFrame, static: bool = False) -> altair.TopLevelMixin | None:
    rows = points[points["operation"].eq("many_arrays") & points["status"].eq("ok")]
    if rows.empty:
        return None
    libraries = look.methods(points)
    rows = standings(with_numbers(rows), "machine", "nbytes").sort_values("nbytes", kind="stable")
    parts = rows["way"].astype(str).str.rsplit(" ", n=1)
    rows["how"], rows["method"] = parts.str[0], parts.str[1]
    rows["all_us"] = digits(1e6 * ARRAYS * rows["seconds"])
    rows["takes"] = (ARRAYS * rows["seconds"]).map(duration)
    rows["each"] = rows["seconds"].map(duration)
    about = ["how", "method", "size", "takes", "each", "stands", "sure"]
    shown = altair.Chart(data(rows, "machine", *about, "all_us"))
    menu, chosen = look.menus(rows, machine=None)
    shown = shown.transform_filter(chosen).encode(
        x=look.across(rows, "each array").scale(paddingInner=0.7, paddingOuter=0.35),
        xOffset=look.beside(libraries),
        y=look.upwards("all_us", "µs of all 256"),
        color=look.colour(libraries),
    )
    dash = altair.StrokeDash("how:N", title=None, legend=LEGEND)
    dash = dash.scale(domain=["one-by-one", "queued", "packed"], range=[[1, 0], [6, 3], [2, 3]])
    lines = shown.mark_line(strokeWidth=1.5, opacity=0.8).encode(strokeDash=dash)
    marks = shown.mark_point(filled=True, size=45, opacity=1).encode(
        detail="how:N",
        shape=look.shape(libraries),
        tooltip=tooltip(
            ("takes", "all 256"),
            ("each", "each"),
            *STANDING[1:],
            about=about[:3],
            kind="N",
        ),
    )
    chart = altair.layer(lines, marks).add_params(*menu)
    return chart.properties(width=2 * WIDTH if static else "container", height=1.3 * HEIGHT)
