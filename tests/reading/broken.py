"""Recorded files made into what they never were, and what the commands say of them, in words."""

import contextlib
import io
import json
import math
import shutil

from asv.util import UserError
from hypothesis import strategies as st

from scripts.change_points import history, in_words
from scripts.reading import asv_files, chosen, points
from scripts.report_page import page
from scripts.tables import compared, origin, printed
from scripts.words import shown
from tests.conftest import VERSION_1

MACHINE = "nvidia-h100-80gb-hbm3"
ONE, OTHER = "4be76dc1-existing-py3.12", "ed7e6411-existing-py3.12"
FILES = [
    *("benchmarks.json", f"{MACHINE}/machine.json", f"{MACHINE}/calibration.jsonl"),
    *(f"{MACHINE}/{ONE}{end}" for end in (".json", ".noise.jsonl", ".provenance.jsonl")),
]
DEEP = "nested 100,000 deep"
YEAR_9000, HUGE = 221_845_392_000_000, 10**400
VALUES = [
    *(None, True, 0, -1, 1.5, 1e308, 5e-324, -1e308, math.nan, math.inf, -math.inf, HUGE, -HUGE),
    *("", "a word", "\x1b[31mred", "\ud800", "9" * 5000, "(" * 900, "'x'", "1024", "a\nb"),
    *([], {}, [[]], [None], [1, "a"], {"a": {}}, YEAR_9000, 2**63, 10**17, DEEP),
]


def results(folder):
    """The folder `results` in `folder`: what was recorded on one machine at three commits."""
    there = shutil.copytree(VERSION_1, folder / "results")
    shutil.rmtree(there / "nvidia-h200")
    for path in (there / MACHINE).glob("e62adfd3*"):
        path.unlink()
    return there


def written(value):
    """`value` as JSON."""
    text = json.dumps(value)
    return text.replace(f'"{DEEP}"', "[" * 100_000 + "]" * 100_000)


def spoil(path, change, line=0):
    """Let `change` have the object in the file at `path`, or in a line of it, and write it."""
    text = path.read_text()
    if path.suffix == ".json":
        lines, line = [text], 0
    else:
        lines = text.splitlines()
    found = json.loads(lines[line % len(lines)])
    lines[line % len(lines)] = written(change(found))
    path.write_text("\n".join(lines) + "\n")


@st.composite
def changes(draw):
    """A function for `spoil`: it puts another value somewhere, or takes one away."""
    ways = draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=5))
    value = draw(st.sampled_from(VALUES))
    remove = draw(st.integers(0, 6)) == 0

    def change(found):
        place = found
        for number, way in enumerate(ways):
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key = keys[way % len(keys)]
            inner = place[key]
            if number + 1 == len(ways) or not isinstance(inner, (dict, list)) or not inner:
                break
            place = inner
        if remove:
            del place[key]
        else:
            place[key] = value
        return found

    return change


def one_line(call, *arguments, errors=(UserError, chosen.NoSuchResult, OSError, SystemExit)):
    """What `call` returns; None if it says in an error that its command shows why it cannot."""
    try:
        return call(*arguments)
    except errors:
        return None


def commands(folder, report):
    """All that reads `folder`, as the commands do; what they print, and the table of the points."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        table, left_out = one_line(points.load, folder) or (None, [])
        shown.say_left_out(left_out)
        if table is not None:
            table.to_csv(folder.parent / "points.csv", index=False)
            for machine in table["machine"].unique():
                result = one_line(chosen.choose, table, machine)
                recorded = compared.Recorded(table, left_out)
                parts = compared.of_one(result, recorded) if result is not None else []
                printed.terminal(parts)
        for name in MACHINE, f"{MACHINE}:4be76dc1":
            found = one_line(origin.find, name, folder, errors=(SystemExit, ValueError))
            if found:
                origin.show(*found)
        found = one_line(history.of_machine, folder, MACHINE)
        if found:
            shown.say(in_words.text(*found))
            in_words.markdown(*found)
            json.dumps(in_words.as_json(*found), allow_nan=False)
        if report:
            one_line(page.write, folder.parent / "report.html", folder)
        for path in folder.rglob("*.json"):
            one_line(asv_files.load_json, str(path))
    return said.getvalue(), table
