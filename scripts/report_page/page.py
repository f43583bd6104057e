"""What is on the report's page, section by section; report.html.jinja lays it out.

All of it comes from the table of points.py. A result that cannot be read, or a chart that has
nothing to show, is named on the page and does not keep the rest from it.
"""

import contextlib
import functools
import json
import os
import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import jinja2
import pandas
import vl_convert

from scripts.answers import chooser
from scripts.change_points import history, in_words, over_time
from scripts.change_points.change import Change
from scripts.reading import points
from scripts.reading.chosen import NoSuchResult, transfers
from scripts.reading.points import RUN
from scripts.report_page import against, look, of_machine
from scripts.report_page.charts import CHARTS, OVER_TIME
from scripts.setup import processors
from scripts.words.formats import WITH_UNIT, article, duration, percents, size
from scripts.words.vocabulary import WAYS

HERE = Path(__file__).resolve().parent
# logLevel 1: Vega's errors only, as it warns wherever what is chosen in a menu has no points.
EMBED = {"mode": "vega", "renderer": "svg", "actions": False, "logLevel": 1}
MARKUP = re.compile(  # or a number and its unit
    rf"<(script|style|title|option)\b.*?</\1>|<[^>]*>|(?P<number>{WITH_UNIT})", re.DOTALL
)
Histories = Mapping[str, tuple[list[Change], list[str]]]  # by machine
MOST_STEPS = 40  # of the history; the newest ones


def write(output: str | Path, results: str | Path) -> list[str]:
    """Write the page to the file `output`, and its change points beside it, as JSON.

    Returns what was left out, in words.
    UserError if the folder `results` has no list of benchmarks, OSError if it cannot be written.
    """
    table, left_out = points.load(results)
    latest = newest(table)
    names = look.methods(table)
    runs = over_time.of(table, results, left_out)
    histories = histories_of(table, runs, results)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"article": article, "size": size}
    environment.filters |= {"percent": percents, "seconds": duration}
    environment.policies["json.dumps_kwargs"] = {}  # in our order, not the alphabet's
    template = environment.get_template("report.html.jinja")
    text = template.render(
        bundle=bundle() if len(latest) else "",
        embed=EMBED,
        colours=dict(zip(names, look.COLOURS * len(names), strict=False)),
        charts=CHARTS | OVER_TIME,
        placed=[],  # the charts that the template has named
        drawn=drawn(latest, table, histories, runs),
        methods=names,
        machines=[
            {"number": number}
            | of_machine.told(run, latest, histories.get(name), results, left_out)
            for number, (name, run) in enumerate(by_machine(latest))
        ],
        ways=WAYS,
        first=measured_last(latest),
        cases={name: chooser.cases(run) for name, run in by_machine(latest)},
        with_unit=WITH_UNIT,
        against=against.told(latest),
        older=against.older(left_out, latest["machine"].unique()),
        without=sorted(set(table["machine"].unique()) - set(latest["machine"].unique())),
        history=told(histories),
        seen={
            name: [in_words.found(changes, said), *said[1:]]
            for name, (changes, said) in histories.items()
        },
        thinned=OVER_TIME["history"].thinned(OVER_TIME["history"].series(table))[1:],
        calibrations=calibrations(results, left_out),
        left_out=dict.fromkeys(left_out),
    )
    Path(output).write_text(MARKUP.sub(unparted, text), encoding="utf-8")
    changes = {name: in_words.as_json(*found) for name, found in histories.items()}
    Path(output).with_suffix(".json").write_text(json.dumps(changes))
    return list(dict.fromkeys(left_out))


def unparted(found: re.Match[str]) -> str:
    """A number and its unit, which no line's end parts; markup as it is."""
    return f'<span class="one">{found[0]}</span>' if found["number"] else found[0]


def by_machine(rows: pandas.DataFrame) -> Iterable[tuple[str, pandas.DataFrame]]:
    return rows.groupby(rows["machine"].astype(str), sort=True)


def bundle() -> str:
    """Vega, as one script; making it takes two seconds, so it is kept."""
    kept = points.ROOT / ".asv" / f"vega-{metadata.version('vl-convert-python')}.js"
    if kept.is_file():
        return kept.read_text(encoding="utf-8")
    made = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its stub wants a snippet
    new = kept.with_suffix(f".{os.getpid()}.new")
    with contextlib.suppress(OSError):  # a checkout that cannot be written: made each time
        kept.parent.mkdir(exist_ok=True)
        new.write_text(made, encoding="utf-8")
        new.replace(kept)
    return made


def newest(table: pandas.DataFrame) -> pandas.DataFrame:
    """The rows of each machine's newest result that has transfers to a GPU."""
    result = table.groupby(RUN, observed=True, sort=False).ngroup()
    rows = transfers(table).sort_values(["commit_date", "measured"], kind="stable")
    last = rows.drop_duplicates("machine", keep="last")
    return table[result.isin(result[last.index])]


def measured_last(latest: pandas.DataFrame) -> str | None:
    """The machine that the page shows at first."""
    rows = latest.sort_values("measured", kind="stable")
    return str(rows["machine"].iloc[-1]) if len(rows) else None


def drawn(
    latest: pandas.DataFrame,
    table: pandas.DataFrame,
    histories: Histories,
    runs: pandas.DataFrame,
) -> dict[str, Any]:
    """{name: specification} of the charts that have something to show."""
    if latest.empty:
        return {}
    made = {name: chart.draw(latest) for name, chart in CHARTS.items()}
    runs = over_time.changed(runs, look.methods(table))
    made |= {name: chart.draw(table, histories, runs) for name, chart in OVER_TIME.items()}
    return {name: look.for_page(chart) for name, chart in made.items() if chart is not None}


def histories_of(table: pandas.DataFrame, runs: pandas.DataFrame, results: str | Path) -> Histories:
    """{machine: (changes, what could not be judged)} of the machines that have a history."""
    of = [(rows, runs[runs["machine"].eq(name)]) for name, rows in by_machine(table)]
    judge = functools.partial(history_of, results=results)
    found = processors.each(judge, of, 1) if len(runs) >= processors.MANY else map(judge, of)
    names = (name for name, _ in by_machine(table))
    return {name: one for name, one in zip(names, found, strict=True) if one}


def history_of(
    one: tuple[pandas.DataFrame, pandas.DataFrame], results: str | Path
) -> tuple[list[Change], list[str]] | None:
    """The changes of one machine, and what could not be judged; None if it has no history."""
    with contextlib.suppress(NoSuchResult):  # one commit only
        return history.of_table(*one, results)
    return None


def told(histories: Histories) -> tuple[list[dict[str, Any]], int]:
    """The newest change points in words, newest first, and how many there are."""
    places = [
        (name, *place)
        for name, (changes, _) in histories.items()
        for place in in_words.by_commit(changes)
    ]
    places.sort(key=lambda place: place[2][0].date, reverse=True)
    found = [
        {
            "machine": name,
            "newest": name not in [other for other, *_ in places[:number]],
            "heading": heading,
            "changes": [
                (in_words.headline(one), map(in_words.sizes, one.families)) for one in group
            ],
            "changed": changed,
        }
        for number, (name, heading, group, changed) in enumerate(places[:MOST_STEPS])
    ]
    return found, len(places)


def calibrations(results: str | Path, left_out: list[str]) -> dict[str, Any]:
    """{machine: what the page says of its calibration}, of the machines that have one."""
    paths, found = sorted(Path(results).glob("*/calibration.jsonl")), {}
    if paths:  # what it imports takes half a second
        from scripts.report_page import calibration_shown
    for path in paths:
        try:
            found[path.parent.name] = calibration_shown.shown(path)
        except calibration_shown.Broken as error:
            left_out.append(f"{path.parent.name}/{path.name}: it {error}")
    return found
