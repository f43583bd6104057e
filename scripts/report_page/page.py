"""What is on the report's page, section by section; report.html.jinja lays it out.

All of it comes from the table of points.py. A result that cannot be read, or a chart that has
nothing to show, is named on the page and does not keep the rest from it.
"""

import os
from pathlib import Path

import jinja2
import vl_convert

from scripts.change_points import what_changed
from scripts.reading import points
from scripts.reading.points import RUN
from scripts.recording import provenance
from scripts.report_page import charts, choosing, look, sentences, timeline
from scripts.words.formats import duration, percents, size
from scripts.words.vocabulary import MEMORY, TRANSFERS

HERE = Path(__file__).resolve().parent
# logLevel 1: Vega's errors only, as it warns wherever what is chosen in a menu has no points.
EMBED = {"mode": "vega", "renderer": "svg", "actions": False, "logLevel": 1}
MOST_STEPS = 40  # of the history; the newest ones


def write(output, results):
    """Write the page to the file `output`; returns what was left out, in words.

    UserError if the folder `results` has no list of benchmarks, OSError if it cannot be written.
    """
    table, left_out = points.load(results, spread=False)
    runs = newest(table)[RUN].astype(str).drop_duplicates().itertuples(index=False, name=None)
    latest, more = points.load(results, list(runs))
    left_out += [line for line in more if line not in left_out]
    names = look.methods(table)
    rows = timeline.series(table)
    steps = timeline.steps(rows)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"size": size, "percent": percents, "seconds": duration}
    text = environment.get_template("report.html.jinja").render(
        bundle=bundle() if len(latest) else "",
        embed=EMBED,
        colours=dict(zip(names, look.COLOURS * len(names), strict=False)),
        drawn=drawn(latest, rows, steps),
        machines=[machine(run, results, left_out) for _, run in by_machine(latest)],
        without=sorted(set(table["machine"].unique()) - set(latest["machine"].unique())),
        history=told(rows, steps, results, left_out),
        thinned=timeline.thinned(rows)[1:],
        calibrations=calibrations(results, left_out),
        left_out=dict.fromkeys(left_out),
        site=(Path(output).parent / "index.html").exists(),
    )
    Path(output).write_text(text, encoding="utf-8")
    return list(dict.fromkeys(left_out))


def by_machine(rows):
    return rows.groupby(rows["machine"].astype(str), sort=True)


def bundle():
    """Vega, as one script; making it takes two seconds, so it is kept."""
    kept = points.ROOT / ".asv" / f"vega-{vl_convert.__version__}.js"
    if kept.is_file():
        return kept.read_text(encoding="utf-8")
    made = vl_convert.javascript_bundle()
    kept.parent.mkdir(exist_ok=True)
    new = kept.with_suffix(f".{os.getpid()}.new")
    new.write_text(made, encoding="utf-8")
    new.replace(kept)
    return made


def newest(table):
    """The rows of each machine's newest result that has transfers to a GPU."""
    result = table.groupby(RUN, observed=True, sort=False).ngroup()
    with_gpu = table["operation"].isin(list(TRANSFERS)) & table["status"].eq("ok")
    rows = table.loc[with_gpu, ["machine", "commit_date", "measured"]].assign(result=result)
    rows = rows.sort_values(["commit_date", "measured"], kind="stable")
    return table[result.isin(rows.drop_duplicates("machine", keep="last")["result"])]


def drawn(latest, rows, steps):
    """{name: specification} of the charts that have something to show."""
    found = {}
    if len(latest):
        for chart in charts.bandwidth, charts.latency, charts.dtypes, charts.machines:
            found[chart.__name__] = look.for_page(chart(latest))
        found["history"] = look.for_page(timeline.chart(rows, steps))
    return found


def machine(run, results, left_out):
    """What the page says of one machine, from the rows of its newest result."""
    first = run.iloc[0]
    status = run["status"].value_counts()
    facts = what_changed.facts(results, left_out, *map(str, first[RUN]))
    return {
        "name": str(first["machine"]),
        "gpu": first["gpu"],
        "link": first["pcie_link"],
        "commit": str(first["commit"])[:8],
        "date": f"{first['commit_date']:%Y-%m-%d}",
        "python": first["python"],
        "count": {name: int(status.get(name, 0)) for name in ("ok", "n/a", "failed")},
        "ranges": [
            (memory, does.into, found)
            for operation, does in TRANSFERS.items()
            for memory in MEMORY
            if (found := choosing.fastest(run, memory, operation))
        ],
        "pinned": sentences.pinned_or_pageable(run),
        "pays": {
            does.into: found
            for operation, does in TRANSFERS.items()
            if (found := choosing.transfers_to_pay(run, operation))
        },
        "cold": choosing.cold_start(run),
        "dtypes": sentences.dtypes(run, facts.get(what_changed.PARTS)),
        "noise": sentences.noise(run),
        "provenance": facts,
    }


def told(rows, steps, results, left_out):
    """The steps in words, newest first, and what changed at each."""
    starts = rows.iloc[steps["before"]]
    steps = steps.copy()
    steps["from"], steps["old"] = starts["name"].to_numpy(), starts["commit"].astype(str).to_numpy()
    steps["old_environment"] = starts["environment"].astype(str).to_numpy()
    places = list(steps.groupby(["commit_date", "machine", "from", "name"], observed=True))[::-1]
    found = []
    for (date, name, before, after), group in places[:MOST_STEPS]:
        first = group.iloc[0]
        ends = [(first["old"], first["old_environment"]), (first["commit"], first["environment"])]
        facts = [what_changed.facts(results, left_out, name, str(a), str(b)) for a, b in ends]
        parts = group.groupby("panel", observed=True, sort=False)
        found.append(
            {
                "machine": name,
                "before": before,
                "after": after,
                "date": f"{date:%Y-%m-%d}",
                "lines": [sentences.step(part) for _, part in parts],
                "pins": provenance.difference(
                    *(what_changed.pins(str(commit)) for commit, _ in ends)
                ),
                "facts": provenance.difference(*facts) if all(facts) else None,
            }
        )
    return found, len(places)


def calibrations(results, left_out):
    """{machine: what the page says of its calibration}, of the machines that have one."""
    paths, found = sorted(Path(results).glob("*/calibration.jsonl")), {}
    if paths:
        from scripts.report_page import calibration_shown
    for path in paths:
        try:
            found[path.parent.name] = calibration_shown.shown(path)
        except calibration_shown.Broken as error:
            left_out.append(f"{path.parent.name}/{path.name}: it {error}")
    return found
