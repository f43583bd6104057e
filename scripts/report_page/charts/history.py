"""What became of the methods from result to result of a machine; change_points/ says what steps.

At first a method's own part: by how much its time, beside that of the other methods of its visits,
is off from what it mostly is. On request GB/s, in which there is also what the host drifted by.
"""

import itertools
import json
from collections.abc import Mapping

import altair
import pandas

from scripts.change_points.change import Change
from scripts.reading import intervals, standing
from scripts.reading.own_part import own
from scripts.reading.points import RUN
from scripts.report_page import look, results_axis
from scripts.report_page.chart_data import data, in_percent, transfers
from scripts.report_page.look import GREY
from scripts.report_page.results_axis import ASIDE, RUN_OF, TURNED
from scripts.words.vocabulary import ALL

TITLE = "History"
CAPTION = (
    "Float32, oldest result first. Up is slower: a method's time beside the others of its visits, "
    "against its own median, with 99 % intervals; or GB/s. Below each result, or at its marks, "
    "stands what changed there; a vertical line is another driver or GPU; what is pale is in doubt."
)
OWN, RATE = "time beside the other methods, %", "GB/s"
STEP_OF = ["machine", "commit", "method", "memory", "operation", "nbytes", "dtype"]
MOST_ROWS = 30_000  # of the page's history; what is older than its newest half is thinned
Histories = Mapping[str, tuple[list[Change], list[str]]]  # by machine, as the page has them


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


def steps(rows: pandas.DataFrame, histories: Histories) -> pandas.DataFrame:
    """The rows of `series` at change points, with `step`, by how many per cent longer it takes, and
    whether that is by its ratio to the others, or in seconds."""
    names, found = look.methods(rows), []
    for machine, (changes, _) in histories.items():
        for change in changes:
            moved = names if change.method == ALL else [change.method]
            for family in change.families:
                for one, method in itertools.product(family["series"], moved):
                    where = machine, change.commit, method, change.memory
                    what = family["operation"], one["nbytes"], one["dtype"]
                    found.append((*where, *what, one["percent"], int(change.by_ratio)))
    table = pandas.DataFrame(found, columns=[*STEP_OF, "step", "by_ratio"])
    table = table.sort_values("by_ratio", ascending=False, kind="stable").drop_duplicates(STEP_OF)
    keys = rows[STEP_OF].astype({name: str for name in STEP_OF if name != "nbytes"})
    at = keys.reset_index().merge(table, on=STEP_OF).set_index("index")
    return rows.loc[at.index].assign(step=at["step"].round(1), by_ratio=at["by_ratio"])


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


def with_own(rows: pandas.DataFrame) -> pandas.DataFrame:
    """`rows` of `series` with `own`, `own_low` and `own_high`: per cent that a method takes longer
    than it mostly does, beside the others; empty where there is nothing to hold it against."""
    point = ["machine", "memory", "operation", "nbytes"]
    table = rows.assign(**{name: rows[name].astype(str) for name in point[:3]})
    table = table.set_index([*point, "method", "result"])
    logs = own(table["relative"].astype(float).unstack("result"), point)
    logs = logs.where(logs.notna().sum(axis=1).gt(1))
    part = logs.stack().reindex(table.index).to_numpy()
    half = intervals.quantile(rows["relative_df"]) * standing.error(rows)
    ends = {"own": 0, "own_low": -half, "own_high": half}
    return rows.assign(**{name: in_percent(part + end) for name, end in ends.items()})


def opening(found: pandas.DataFrame) -> dict[str, dict[str, str]]:
    """{machine: what its menus are set to at first}: where the largest of the steps `found` shows,
    one of a method beside the others before one in seconds."""
    first = {"by_ratio": found["by_ratio"], "moved": found["step"].abs(), "bytes": found["nbytes"]}
    first["pinned"] = found["memory"].eq("pinned")  # of those that are alike
    order = pandas.DataFrame(first).sort_values([*first], ascending=False, kind="stable").index
    return {
        str(row.machine): {
            **{f"chosen_{name}": str(getattr(row, name)) for name in ("memory", "into", "size")},
            "chosen_shown": OWN if row.by_ratio else RATE,
        }
        for row in found.loc[order].drop_duplicates("machine").itertuples()
    }


def draw(
    points: pandas.DataFrame,
    histories: Histories,
    results: pandas.DataFrame,
    static: bool = False,
) -> altair.TopLevelMixin | None:
    """Each method over the results of a machine, oldest first; a large, ringed mark where it steps.

    `results` is what over_time.changed has of the results.
    """
    rows = series(points)
    if rows.empty:
        return None
    rows = with_own(rows)
    found = steps(rows, histories)
    rows = rows.assign(step=found["step"], by_ratio=found["by_ratio"])
    kept, _, _ = thinned(rows)
    rows = pandas.concat([kept, rows.loc[found.index.difference(kept.index)]]).sort_index()
    rows["run"] = rows.groupby(["machine", "result"], observed=True, sort=False).ngroup()
    for name in "own", "own_low", "own_high":
        rows[name] = rows[name].round(2)
    names = look.methods(rows)
    about = "machine", "memory", "into", "size", "method", "result", "run"
    numbers = "rate", "rate_low", "rate_high", "own", "own_low", "own_high", "step", "by_ratio"
    runs = results_axis.told(rows, results)
    beside = altair.LookupData(data(runs, *RUN_OF), "run", [*RUN_OF[1:]])
    shown = altair.Chart(data(rows, *about, *numbers)).transform_lookup("run", beside)
    largest = str(rows.loc[rows["nbytes"].idxmax(), "size"])
    chosen_by = {"memory": "pinned", "into": "existing array", "size": largest}
    number = rows.groupby(rows["machine"].astype(str))["run"].nunique().to_dict()
    least = f"{TURNED} * ({json.dumps(number)}[chosen_machine] || 0) + {ASIDE}"
    menu, chosen = look.menus(rows.sort_values("nbytes"), machine=None, **chosen_by)
    ways = [OWN, RATE] if rows["own"].notna().any() else [RATE]
    way, is_own = look.choice("shown", ways, ways[0])
    is_own = is_own.replace("datum.shown", f"'{OWN}'")
    shown = shown.transform_filter(chosen).transform_calculate(
        value=f"{is_own} ? datum.own : datum.rate",
        low=f"{is_own} ? datum.own_low : datum.rate_low",
        high=f"{is_own} ? datum.own_high : datum.rate_high",
        # What all did together, in seconds, is no step of the ratios.
        moved=f"!isValid(datum.step) ? null : !({is_own}) ? 100 / (1 + datum.step / 100) - 100 : "
        "datum.by_ratio ? datum.step : null",
    )
    methods_on, method_shown = look.switches("method", names)
    x = altair.X(
        "label:O",
        sort=altair.EncodingSortField("result", op="min"),
        title=None,
        axis=results_axis.axis(),
    )
    # On the page the menu says what it is: there it may change.
    value = altair.Y("value:Q", title=ways[0] if static else None).scale(zero=False, padding=12)
    of_rules = shown.transform_filter("datum.rule").transform_aggregate(
        result="min(result)", groupby=["label", "rule"]
    )
    rules = of_rules.mark_rule(color=GREY, strokeDash=[4, 3]).encode(x=x)
    of_methods = shown.transform_filter(f"({method_shown}) && isValid(datum.value)").encode(
        x=x, color=look.colour(names, static)
    )
    bars = of_methods.mark_rule(opacity=0.6).encode(y=altair.Y("low:Q"), y2="high")
    line = of_methods.mark_line(strokeWidth=1.8).encode(y=value, order="result:Q")
    step, sure = altair.when("isValid(datum.moved)"), altair.when("datum.doubtful === 'no'")
    marks = of_methods.mark_point(filled=True, opacity=1, strokeWidth=3).encode(
        size=step.then(altair.value(170)).otherwise(altair.value(45)),
        stroke=step.then(altair.value(GREY)).otherwise(altair.value(None)),
        fillOpacity=sure.then(altair.value(1)).otherwise(altair.value(0.25)),
        y=value,
        shape=look.shape(names, static),
        tooltip=[
            *(altair.Tooltip(f"{field}:N") for field in ("method", "name", "date")),
            altair.Tooltip("own:Q", title=OWN),
            altair.Tooltip("rate:Q", title=RATE),
            altair.Tooltip("moved:Q", title="step, %", format="+.1f"),
            altair.Tooltip("changed:N", title="changed there"),
            altair.Tooltip("doubtful:N"),
        ],
    )
    named = (
        of_methods.transform_filter("isValid(datum.moved)")
        .transform_calculate(step="format(datum.moved, '+.1f') + ' %'")
        .mark_text(dy=-14, fontWeight="bold")
        .encode(y=value, text="step:N")
    )
    chart = altair.layer(rules, bars, line, marks, named).properties(height=320)
    chart = chart.add_params(*menu, way, *methods_on)
    if static:
        return chart.properties(width=max(760, TURNED * max(number.values(), default=0)))
    wide = altair.param(name="least_width", expr=least)
    chart = chart.properties(width="container", usermeta={"opening": opening(found)})
    return chart.add_params(wide)
