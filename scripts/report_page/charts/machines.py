"""Several machines' float32 curves over each other, and the share of each one's ceiling.

One method is shown. The machines differ in shape and dash; the one chosen for the page has the
method's colour.
"""

from typing import Any

import altair
import pandas

from scripts.report_page import look
from scripts.report_page.chart_data import RATES, data, digits, tooltip, transfers
from scripts.report_page.look import GREY, HEIGHT, LEGEND, WIDTH
from scripts.words.vocabulary import OTHERS

TITLE = "GPU against GPU"
CAPTION = "Shapes and dashes are machines. On a page the chosen one has the method's colour."


def draw(points: pandas.DataFrame, static: bool = False) -> altair.ConcatChart | None:
    rows = transfers(points[points["dtype"].eq("float32")])
    if rows.empty:
        return None
    if static:
        rows = rows[rows["method"].eq(look.methods(rows)[0])]
    link = points[points["benchmark"].eq(OTHERS["link"])]
    link = link.set_index(["machine", "nbytes"])["gb_per_s"]
    keys = pandas.MultiIndex.from_frame(rows[["machine", "nbytes"]])
    rows["share"] = digits(100 * rows["gb_per_s"] / link.reindex(keys).to_numpy())
    names, each = look.methods(rows), look.present(rows, "machine")
    about = "machine", "method", "memory", "into", "size", "nbytes"
    shown = altair.Chart(data(rows, *about, "rate", "rate_low", "rate_high", "share", "us"))
    chosen_by = {"method": None, "memory": "pinned", "into": "existing array"}
    menu, chosen = look.menus(rows, **chosen_by)
    shown = shown.transform_filter(chosen)
    dash = altair.StrokeDash("machine:N", title=None, legend=LEGEND).scale(domain=each)
    shapes = altair.Shape("machine:N", title=None, legend=LEGEND).scale(domain=each)
    coloured: Any = look.colour(names, static)
    seen: Any = altair.value(1)
    if not static:
        parameter, is_chosen = look.choice("machine", each, None)
        menu.append(parameter)
        coloured = altair.when(is_chosen).then(coloured).otherwise(altair.value(GREY))
        seen = altair.when(is_chosen).then(altair.value(1)).otherwise(altair.value(0.6))
    base = shown.encode(x=look.sizes(rows), color=coloured, opacity=seen)
    rate = look.upwards("rate", "GB/s")
    share = altair.Y("share:Q", title="% of the link's ceiling").scale(zero=True)
    told = tooltip(*RATES, ("share", "% of the ceiling"), about=["machine", "method", "size"])
    views = [
        altair.layer(
            base.mark_line(strokeWidth=1.8).encode(y=y, strokeDash=dash),
            base.mark_point(size=60).encode(y=y, shape=shapes, tooltip=told),
        ).properties(width=WIDTH, height=HEIGHT, title=title)
        for y, title in ((rate, "GB/s"), (share, "Share of the ceiling"))
    ]
    return altair.concat(*views, columns=2).add_params(*menu)
