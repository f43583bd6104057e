"""How every chart looks: colours, shapes, axes, sizes; and how it comes onto a page or into a file.

One colour and one shape a method, the same in every chart, from the palette of Okabe and Ito, which
colour-blind readers can tell apart; of its eight, those that are seen on white and on black.
"""

import itertools
import re
from pathlib import Path
from typing import Any

import altair
import pandas
import vl_convert

from scripts.words.vocabulary import MEMORY, TRANSFERS

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"]
GREY = "#7a7a7a"  # what is no method; seen on white and on black
# Ways that are alike have a colour in common, or are next to each other.
WAYS = {
    "direct": (GREY, "circle"),
    "staged": (COLOURS[4], "square"),
    "staged-chunks": (COLOURS[1], "square"),
    "staged-4-threads": (COLOURS[3], "triangle-up"),
    "staged-8-threads": (COLOURS[3], "triangle-down"),
    "registered-each-time": (COLOURS[5], "diamond"),
    "registered": (COLOURS[0], "diamond"),
    "pin-memory": (COLOURS[2], "cross"),
}
OTHER_WAY = GREY, "stroke"
PANELS = [f"{memory} memory, {into}" for _, _, into in TRANSFERS.values() for memory in MEMORY]
LEGEND = altair.Legend(orient="top", symbolSize=80, symbolOpacity=1)
WIDTH, HEIGHT, NARROW = 360, 240, 640  # pixels; below NARROW there is one panel a row
STRAIGHT = altair.Axis(labelAngle=0, labelExpr="split(datum.label, ' ')", grid=False)
LOG_AXIS = altair.Axis(
    values=[step * 10.0**power for power in range(-4, 5) for step in (1, 2, 5)],
    format="~",
    labelOverlap=True,
)

# '1024' -> 1 over KiB, as the two lines of an axis label
SIZE_LABEL = (
    "datum.value >= 1073741824 ? [datum.value / 1073741824, 'GiB'] : "
    "datum.value >= 1048576 ? [datum.value / 1048576, 'MiB'] : "
    "datum.value >= 1024 ? [datum.value / 1024, 'KiB'] : [datum.value, 'B']"
)


def present(rows: pandas.DataFrame, column: str) -> list[str]:
    return [str(value) for value in rows[column].dropna().unique()]


def methods(points: pandas.DataFrame) -> list[str]:
    """The methods, in the order of the suite's registry."""
    return present(points, "method")


def looks(names: list[str], kind: str) -> list[tuple[str, str]]:
    """The colour and the shape of each of `names`, of methods or ways."""
    if kind == "way":
        return [WAYS.get(name, OTHER_WAY) for name in names]
    each = itertools.cycle(zip(COLOURS, SHAPES, strict=True))
    return list(itertools.islice(each, len(names)))


def colour(names: list[str], shown: bool = True, kind: str = "method") -> altair.Color:
    """The encoding of methods, or ways, as a colour; `shown` says whether it has a legend, and so
    has that of their shape."""
    one = altair.Color(f"{kind}:N", legend=LEGEND if shown else None, title=None)
    return one.scale(domain=names, range=[found for found, _ in looks(names, kind)])


def shape(names: list[str], shown: bool = True, kind: str = "method") -> altair.Shape:
    one = altair.Shape(f"{kind}:N", legend=LEGEND if shown else None, title=None)
    return one.scale(domain=names, range=[found for _, found in looks(names, kind)])


def beside(names: list[str], kind: str = "method") -> altair.XOffset:
    """Methods, or ways, beside each other at a size, so that no mark lies under another."""
    return altair.XOffset(f"{kind}:N", sort=names)


def across(rows: pandas.DataFrame, of: str = "the array") -> altair.X:
    """The sizes of `rows` side by side, in their order."""
    return altair.X("size:N", sort=present(rows, "size"), title=f"size of {of}", axis=STRAIGHT)


def upwards(field: str, title: str) -> altair.Y:
    """`field` upwards, on a logarithmic axis."""
    one = altair.Y(f"{field}:Q", title=title, axis=LOG_AXIS)
    return one.scale(type="log", nice=False, padding=8)


def sizes(points: pandas.DataFrame) -> altair.X:
    """The encoding of an array's size on a logarithmic axis, labelled in KiB and MiB."""
    values = sorted(int(nbytes) for nbytes in points["nbytes"].dropna().unique())
    axis = altair.Axis(values=values, labelExpr=SIZE_LABEL, labelOverlap=True, grid=False)
    return altair.X("nbytes:Q", axis=axis, title="size of the array").scale(type="log", base=2)


def switches(
    kind: str, names: list[str], on: list[str] | None = None
) -> tuple[list[altair.Parameter], str]:
    """A checkbox for each of `names`: the parameters, and the filter that `kind` passes."""
    parameters = [
        altair.param(
            name=f"{kind}_{index}",
            value=on is None or name in on,
            bind=altair.binding_checkbox(name=name),
        )
        for index, name in enumerate(names)
    ]
    states = ", ".join(parameter.name for parameter in parameters)
    return parameters, f"[{states}][indexof({quoted(names)}, datum.{kind})] !== false"


def choice(kind: str, names: list[str], value: str | None) -> tuple[altair.Parameter, str]:
    """A menu of `names`, if there are several: the parameter, and the filter for the one chosen."""
    menu = altair.binding_select(options=names, name=f"{kind} ")
    name = f"chosen_{kind}"
    parameter = altair.param(
        name=name,
        value=value if value in names else names[0],
        bind=menu if len(names) > 1 else altair.Undefined,
    )
    return parameter, f"datum.{kind} === {name}"


def menus(rows: pandas.DataFrame, **fields: str | None) -> tuple[list[Any], str]:
    """A menu for each of `fields` that `rows` has several values of, and the filter of them all.

    `fields` gives the value that is chosen at first; None is the first there is. The machine is a
    parameter in any case: the page sets it.
    """
    parameters, filters = [], ["true"]
    for field, first in fields.items():
        options = present(rows, field)
        if len(options) > (field != "machine"):
            menu, chosen = choice(field, options, first)
            parameters.append(menu)
            filters.append(chosen)
    return parameters, " && ".join(filters)


def quoted(names: list[str]) -> str:
    """A list of names as Vega's expressions write it."""
    texts = (re.sub(r"[\\'\n]", lambda found: f"\\x{ord(found[0]):02x}", name) for name in names)
    return "[" + ", ".join(f"'{text}'" for text in texts) + "]"


def panels(
    layers: list[altair.Chart],
    data: altair.InlineData,
    rows: pandas.DataFrame,
    parameters: list[altair.Parameter],
) -> altair.FacetChart:
    """The panels that `rows` have of a machine, memory by operation, each with all of `layers`."""
    menu, chosen = menus(rows, machine=None)
    order = [panel for panel in PANELS if panel in set(rows["panel"])]
    field = altair.Facet("panel:N", sort=order, title=None)
    field = field.header(labelFontSize=13, labelFontWeight="bold", labelAnchor="start")
    chart = altair.layer(*layers).properties(width=WIDTH, height=HEIGHT)
    chart = chart.facet(field, columns=2, data=data).transform_filter(chosen)
    return chart.resolve_axis(x="independent", y="independent").add_params(*menu, *parameters)


def finished(chart: altair.TopLevelMixin) -> Any:
    axis = {"domain": False, "gridOpacity": 0.5, "labelFontSize": 11, "titleFontWeight": "normal"}
    return (
        chart.configure(background="transparent", font="system-ui, sans-serif")
        .configure_view(stroke=None)
        .configure_axis(**axis)
        .configure_legend(labelLimit=0, columns=6)
    )


def for_page(chart: altair.TopLevelMixin) -> dict[str, Any]:
    """`chart` as a Vega specification whose panels take the width that the page gives it, and more
    if it has a parameter `least_width`: then it is scrolled."""
    vega = vl_convert.vegalite_to_vega(finished(chart).to_dict())
    one = "layout" not in vega
    for legend in vega.get("legends", []):  # two on a line are what a phone has room for
        legend["columns"] = {"signal": f"{'width' if one else 'page_width'} < {NARROW} ? 2 : 6"}
    if one:
        width, *others = vega["signals"]
        if any(signal["name"] == "least_width" for signal in others):
            update = f"max({width['init']}, least_width)"
            events = "window:resize", {"signal": "least_width"}
            width |= {"init": update, "on": [{"update": update, "events": on} for on in events]}
        return vega
    measured = "max(containerSize()[0] || 0, 300)"
    vega["signals"][:0] = [
        {
            "name": "page_width",
            "init": measured,
            "on": [{"events": "window:resize", "update": measured}],
        },
        {"name": "page_columns", "update": f"page_width < {NARROW} ? 1 : 2"},
    ]
    for signal in vega["signals"]:
        if re.fullmatch(r"(child|concat_\d+)_width", signal["name"]):
            del signal["value"]
            signal["update"] = "floor(page_width / page_columns) - 75"
    vega["layout"]["columns"] = {"signal": "page_columns"}
    return vega


def save(chart: altair.TopLevelMixin, path: str | Path) -> None:
    """Write `chart` as the SVG or PNG that the name of `path` ends in. ValueError for others."""
    specification = finished(chart).properties(background="white").to_dict()
    path = Path(path)
    if path.suffix == ".svg":
        path.write_text(vl_convert.vegalite_to_svg(specification) + "\n")
    elif path.suffix == ".png":
        path.write_bytes(vl_convert.vegalite_to_png(specification, scale=2))
    else:
        raise ValueError(f"{path}: a chart is written as .svg or .png")
