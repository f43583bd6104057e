"""Recipes of docs/contributing.md, followed in a copy of the project: nothing else has to change.

The operation is made up, and so are its results: those of HostToDevice, twice as slow.
"""

import collections
import json
import math
import sys
from pathlib import Path

from tests import derived
from tests.conftest import change

OLD, NEW = "host_to_device.HostToDevice.time_existing_array", "way.Back.time_existing_array"
ENTRY = f'    "back": Operation("{NEW}", "to a friend", "array of a friend"),\n'
MACHINE = "made-up"
COMMITS = [digit * 40 for digit in "1234"]
SLOWER = 1.3  # PyTorch into an existing array from the third commit on; the made-up one is faster

# What tables, report, history and gate say of the results, in parts.
SAID = """
import json, math
from scripts.change_points import history, in_words
from scripts.gate import findings, pairs, verdict
from scripts.reading import points, two_runs
from scripts.report_page import look, of_machine, page
from scripts.report_page.chart_data import transfers
from scripts.tables import held_against, side_by_side
from tests.gate import simulated

table, left_out = points.load()
newest = page.newest(table)
about = of_machine.told(newest, newest, None, points.RESULTS, left_out)
changes, _ = history.of_machine(points.RESULTS, MACHINE)
visits = []
for line in simulated.lines():
    slower = SLOWER if line["parameters"].get("method") == "torch" else 1
    if line["benchmark"] == OLD:
        visits.append({**line, "change": line["change"] + math.log(slower)})
        if NEW in (points.RESULTS / "benchmarks.json").read_text():
            away = {"visit": line["visit"] + 10**6, "change": line["change"] - math.log(slower)}
            visits.append({**line, "benchmark": NEW, **away})
    elif line["benchmark"] != NEW:
        visits.append(line)
judged = verdict.judge(pairs.of(visits))
print(json.dumps({
    "left out": left_out,
    "tables": [
        (sheet.title, sheet.header, sheet.rows)
        for sheets in (
            side_by_side.methods(newest),
            held_against.two(newest, newest, two_runs.compared(newest, newest)),
        )
        for sheet in sheets
    ],
    "which": [*about["ranges"], *about["pinned"], *about["pays"].items()],
    "panels": look.PANELS,
    "curves": [
        (panel, sorted(rows["rate"]))
        for panel, rows in transfers(newest).groupby("panel", observed=True)
    ],
    "history": [[in_words.headline(one), *map(in_words.sizes, one.families)] for one in changes],
    "gate": [
        (word, one["name"], sorted(name for name, *_ in one["parts"]))
        for word in ("slower", "faster")
        for one in findings.findings(judged, word)
    ],
}))
"""


def said(project):
    """{where: how often each part is said there}."""
    names = dict(OLD=OLD, NEW=NEW, MACHINE=MACHINE, SLOWER=SLOWER)
    given = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    done = project.call(sys.executable, "-c", given + SAID)
    assert done.returncode == 0, done.stdout
    parts = json.loads(done.stdout.splitlines()[-1])
    return {where: collections.Counter(map(json.dumps, found)) for where, found in parts.items()}


def is_torch(point, data):
    methods, *others = data["results"][OLD][data["result_columns"].index("params")]
    return methods[point // math.prod(map(len, others))] == "'torch'"


def add_new(results):
    """Add NEW to a results file and to its noise."""
    data = json.loads(results.read_text())
    row = json.loads(json.dumps(data["results"][OLD]))
    for name in "result", "samples":
        values = row[data["result_columns"].index(name)]
        for point, value in enumerate(values):
            back = 1 if results.name[0] in "12" or not is_torch(point, data) else SLOWER**-2
            if value:
                each = [one * 2 * back for one in (value if name == "samples" else [value])]
                values[point] = each if name == "samples" else each[0]
    data["results"][NEW] = row
    results.write_text(json.dumps(data))
    noise = results.with_suffix(".noise.jsonl")
    lines = noise.read_text().splitlines(keepends=True)
    noise.write_text("".join([*lines, *(line.replace(OLD, NEW) for line in lines if OLD in line)]))


def test_an_operation_in_another_direction_is_kept_apart_everywhere(project):
    """First what is said without it; then with its results, before it is in the vocabulary."""
    results = project.path / "results"
    data = json.loads(Path(f"{derived.VERSION_1}.json").read_text())
    made = []
    for number, commit in enumerate(COMMITS):

        def slower(benchmark, point, late=number > 1):
            return SLOWER if benchmark == OLD and late and is_torch(point, data) else 1.0

        made.append(derived.result(results, MACHINE, commit, (number + 1) * 86_400_000, slower))
    without = said(project)
    assert any("torch, pinned" in part for part in without["history"])
    assert {json.loads(part)[1] for part in without["gate"]} == {"torch, pinned", "torch, pageable"}

    for path in made:
        add_new(path)
    benchmarks = json.loads((results / "benchmarks.json").read_text())
    benchmarks[NEW] = {**benchmarks[OLD], "name": NEW}
    (results / "benchmarks.json").write_text(json.dumps(benchmarks))
    unknown = said(project)
    assert {json.loads(part)[1] for part in unknown.pop("gate") - without["gate"]} == {
        "torch, pinned, Back",
        "torch, pageable, Back",
    }
    assert all(parts == without[where] for where, parts in unknown.items())

    change(project, "scripts/words/vocabulary.py", "TRANSFERS = {\n", "TRANSFERS = {\n" + ENTRY)
    known = said(project)
    for where, parts in known.items():
        assert not without[where] - parts, where
        new = parts - without[where]
        assert bool(new) == (where != "left out"), where
        assert all("friend" in part for part in new), where
    steps = [part for part in known["history"] if "torch, pinned, to a friend, " in part]
    assert any(": 23.1 % less time" in part for part in steps)


FACT = """

def too_warm(facts):
    return "It was too warm" if facts.get("room C", 0) > 30 else None


@fact("room C", HOST, too_warm)
def room():
    return 31
"""


def test_a_fact_with_an_alarm_is_one_function(project):
    path = project.path / "scripts" / "recording" / "host.py"
    path.write_text(path.read_text() + FACT)
    done = project.run("--bench", r"HostCopy.*'float32', 1024\)")
    assert done.returncode == 0, done.stdout
    assert "It was too warm" in done.stdout
    machine = project.results().parent.name
    shown = project.call(sys.executable, "scripts/provenance.py", machine)
    assert "room C" in shown.stdout
    assert "31" in shown.stdout.partition("room C")[2].splitlines()[0]
