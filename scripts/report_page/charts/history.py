"""How GB/s went from result to result of a machine; where it steps, change_points/ says."""

import itertools
from collections.abc import Mapping, Sequence

import altair
import pandas

from scripts.change_points.history import Change
from scripts.reading.points import RUN
from scripts.report_page.chart_data import data, menus, transfers
from scripts.report_page.look import GREY, colour, methods, shape, switches
from scripts.words.vocabulary import ALL

TITLE = "History"
CAPTION = "GB/s of float32 over the stack's commits."
STEP_OF = ["machine", "commit", "method", "memory", "operation", "nbytes", "dtype"]
MOST_ROWS = 40_000  # of the page's history; what is older than its newest half is thinned
STEP = "isValid(datum.step)"
Changes = Mapping[str, Sequence[Change]]  # by machine


def series(points: pandas.DataFrame) -> pandas.DataFrame:
    """The float32 transfers that were measured, with `result`, the number of the result they are
    of (0 is a machine's oldest), and `name`, what the axis calls it."""
    rows = points[points["dtype"].eq("float32") & points["status"].eq("ok")]
    rows = transfers(rows)
    runs = rows.groupby(RUN, observed=True, sort=False, as_index=False)
    runs = runs.agg({"measured": "min", "commit_date": "first"})
    runs = runs.sort_values(["commit_date", "measured"], kind="stable")
    runs["result"] = runs.groupby("machine", observed=True).cumcount()
    runs["name"] = runs["commit"].astype(str).str[:8]
    again = runs.duplicated(["machine", "name"], keep=False)
    runs["name"] = runs["name"].where(~again, runs["name"] + " " + runs["environment"].astype(str))
    rows = rows.merge(runs[[*RUN, "result", "name"]], on=RUN)
    return rows.sort_values(["machine", "result"], kind="stable", ignore_index=True)


def steps(rows: pandas.DataFrame, histories: Changes) -> pandas.DataFrame:
    """The rows of `series` at change points, with `step`, the change of GB/s in per cent."""
    names, found = methods(rows), []
    for machine, changes in histories.items():
        for change in changes:
            moved = names if change.method == ALL else [change.method]
            for family in change.families:
                for one, method in itertools.product(family["series"], moved):
                    step = 100 / (1 + one["percent"] / 100) - 100
                    where = machine, change.commit, method, change.memory
                    found.append((*where, family["operation"], one["nbytes"], one["dtype"], step))
    table = pandas.DataFrame(found, columns=[*STEP_OF, "step"]).drop_duplicates(STEP_OF)
    keys = rows[STEP_OF].astype({name: str for name in STEP_OF if name != "nbytes"})
    at = keys.reset_index().merge(table, on=STEP_OF).set_index("index")["step"]
    return rows.loc[at.index].assign(step=at.round(1))


def thinned(rows: pandas.DataFrame) -> tuple[pandas.DataFrame, int, int]:
    """`rows` of at most about MOST_ROWS, and how many results of how many are left.

    Each machine keeps its newest results whole, and of the older ones every second, third, ...
    """
    last = rows.groupby("machine", observed=True)["result"].transform("max")
    age = last - rows["result"]
    total = rows.groupby("machine", observed=True)["result"].nunique().sum()
    if len(rows) <= MOST_ROWS:
        return rows, total, total
    whole = MOST_ROWS / 2 / max(len(rows) / total, 1) / rows["machine"].nunique()
    for every in itertools.count(2):
        kept = rows[(age < whole) | (age % every == 0)]
        if len(kept) <= MOST_ROWS or every > last.max():
            break
    return kept, kept.groupby("machine", observed=True)["result"].nunique().sum(), total


def draw(
    points: pandas.DataFrame, histories: Changes, static: bool = False
) -> altair.TopLevelMixin:
    """GB/s over the results of a machine, oldest first; a large, ringed mark where it steps.

    `histories` is {machine: changes} as change_points/history.py has them.
    """
    rows = series(points)
    found = steps(rows, histories)
    rows = rows.assign(step=found["step"])
    kept, _, _ = thinned(rows)
    rows = pandas.concat([kept, rows.loc[found.index.difference(kept.index)]]).sort_index()
    rows["date"] = rows["commit_date"].dt.strftime("%Y-%m-%d %H:%M")
    names = methods(rows)
    about = "machine", "memory", "into", "size", "method", "result", "name", "date"
    shown = altair.Chart(data(rows, *about, "rate", "step"))
    largest = str(rows.loc[rows["nbytes"].idxmax(), "size"]) if len(rows) else None
    chosen_by = {"memory": "pinned", "into": "existing array", "size": largest}
    menu, chosen = menus(rows.sort_values("nbytes"), machine=None, **chosen_by)
    shown = shown.transform_filter(chosen)
    methods_on, method_shown = switches("method", names)
    order = altair.EncodingSortField("result", op="min")
    rate = altair.Y("rate:Q", title="GB/s").scale(zero=True)
    shown = shown.transform_filter(method_shown).encode(
        x=altair.X("name:O", sort=order, title="commit of the stack, oldest first").axis(
            labelAngle=-40, labelOverlap=True
        ),
        color=colour(names, static),
    )
    line = shown.mark_line(strokeWidth=1.8).encode(y=rate, order="result:Q")
    marks = shown.mark_point(filled=True, opacity=1, strokeWidth=3).encode(
        size=altair.when(STEP).then(altair.value(170)).otherwise(altair.value(45)),
        stroke=altair.when(STEP).then(altair.value(GREY)).otherwise(altair.value(None)),
        y=rate,
        shape=shape(names, static),
        tooltip=[
            *(altair.Tooltip(f"{field}:N") for field in ("method", "name", "date")),
            altair.Tooltip("rate:Q", title="GB/s"),
            altair.Tooltip("step:Q", title="step, %"),
        ],
    )
    chart = altair.layer(line, marks).properties(height=300)
    return chart.properties(width=760 if static else "container").add_params(*menu, *methods_on)
