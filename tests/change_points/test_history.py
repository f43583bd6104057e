"""What is a step of the history and what is not, and what it is said to have changed."""

import collections
import json
import subprocess

import numpy

from scripts.change_points import over_time, what_changed
from scripts.reading import points
from scripts.report_page import page
from scripts.setup import processors
from scripts.words.thresholds import UNCHANGED, unchanged
from tests import derived, stated
from tests.conftest import ROOT, VERSION_1
from tests.docs import test_agreement


def test_a_step_is_more_than_two_runs_of_the_same_thing_differ_by():
    keys = ["benchmark", "method", "memory", "dtype", "nbytes"]
    table = points.load(VERSION_1, machines={test_agreement.MACHINE})[0]
    first = table[table["commit"].str.startswith(test_agreement.COMMIT)].set_index(keys)["seconds"]

    def recorded(name):
        return {point: seconds for point, (seconds, _) in test_agreement.recorded(name).items()}

    runs = [
        (first, recorded("second-run")),
        (recorded("other-host-1"), recorded("other-host-2")),
        (recorded("third-host-1"), recorded("third-host-2")),
    ]
    apart = collections.defaultdict(list)
    for before, after in runs:
        for point, seconds in after.items():
            apart[unchanged(point[2], point[4])].append(abs(seconds / before[point] - 1))
    assert apart.keys() == {bound for bounds in UNCHANGED.values() for bound in bounds}
    more = [one for bound in apart for one in apart[bound] if one > bound]
    assert (len(more), sum(map(len, apart.values()))) == (1, 336)
    for bound, values in apart.items():
        assert bound < 3 * numpy.quantile(values, 0.95)


def test_pins_are_those_of_the_commit():
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()
    text = subprocess.check_output(
        ["git", "show", "HEAD:requirements/cu13.txt"], cwd=ROOT, text=True
    )
    pins = what_changed.pins(commit)
    (torch,) = (line for line in text.splitlines() if line.startswith("torch=="))
    assert pins["cu13: torch"] == torch.removeprefix("torch==")
    assert what_changed.pins("0" * 40) == {}
    assert what_changed.pins("--output=x") == {}
    assert not (ROOT / "x:requirements").exists()


def test_facts_are_those_of_the_last_run(tmp_path):
    run = ("m", "c0ffee00" * 5, "existing-py3.12")
    path = derived.result(tmp_path, *run[:2], 1, facts={"driver": "580", "pages": ["a", "b"]})
    left_out = []
    assert what_changed.facts(tmp_path, left_out, *run) == {"driver": "580", "pages": "a, b"}
    beside = path.with_suffix(".provenance.jsonl")
    later = {"started": 9, "ended": None, "processes": 1, "facts": {"driver": "590"}}
    beside.write_text(beside.read_text() + json.dumps(later) + "\n")
    found = what_changed.facts(tmp_path, left_out, *run)
    assert found == {"measured in": "2 runs", "driver": "590"}
    later["facts"]["gpu uuid hash"] = "another"
    beside.write_text(beside.read_text() + json.dumps({**later, "started": 10}) + "\n")
    assert what_changed.facts(tmp_path, left_out, *run)["measured in"] == "3 runs, on 2 GPUs"
    assert not left_out
    beside.write_text("[]\n")
    assert what_changed.facts(tmp_path, left_out, *run) == {}
    assert left_out == [f"m/{beside.name}: its provenance file is broken"]
    beside.unlink()
    assert what_changed.facts(tmp_path, left_out, *run) == {}
    assert len(left_out) == 1


def test_many_results_have_the_same_changes(tmp_path, monkeypatch):
    """They are judged in processes of their own, a machine each."""
    for number in range(6):
        slow = 1.5 if number >= 3 else 1.0
        commit = stated.COMMITS[number]
        stated.result(tmp_path, lambda point, slow=slow: slow, commit, number, drift=0.01)
    stated.result(tmp_path, machine="one-commit")
    table, _ = points.load(tmp_path)
    runs = over_time.of(table, tmp_path)
    one = page.histories_of(table, runs, tmp_path)
    monkeypatch.setattr(processors, "MANY", 2)
    assert page.histories_of(table, runs, tmp_path) == one
    assert one.keys() == {stated.MACHINE}
    assert one[stated.MACHINE][0]
