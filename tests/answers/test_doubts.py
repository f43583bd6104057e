"""What makes a result doubtful is said where its numbers are read; what does not, is not."""

import json
import re

import pytest

from scripts.answers import doubts, first, ways
from scripts.reading import points
from scripts.recording import provenance
from tests.conftest import VERSION_1

MACHINE = "nvidia-h100-80gb-hbm3"


@pytest.fixture(scope="module")
def recorded():
    """The recorded H100: its rows, and its runs."""
    table, _ = points.load(machines={MACHINE})
    run = table[table["commit"].eq(table["commit"].iloc[-1])]
    return run, provenance.beside(points.RESULTS, [], *run[points.RUN].iloc[0])


def altered(runs, at=-1, **facts):
    """The same, as if the run at this place had other facts."""
    names = {name.replace("_", " "): value for name, value in facts.items()}
    changed = json.loads(json.dumps(runs))
    changed[at]["facts"] |= names
    return changed


def test_the_recorded_result_is_not_doubtful(recorded):
    run, runs = recorded
    assert runs
    assert doubts.of(run, runs) == []


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"link_width": 8}, r"The link ran as Gen5 x8 under load; it can do PCIe Gen5 x16\."),
        ({"link_generation": 4}, r"The link ran as Gen4 x16 under load; .* Gen5 x16\."),
        ({"throttle_reasons": ["hardware slowdown"]}, r"The GPU was throttled .* slowdown\."),
        ({"other_processes": 1}, r"1 other process had the GPU too, before or after this run\."),
        (
            {"cpu_quota": "2 cores", "cpu_throttled_periods": 900, "cpu_throttled_seconds": 60},
            r"The CPU quota \(2 cores\) stopped what was measured 900 times, 60 s in all\.",
        ),
        ({"torch": "2.12.0"}, r"torch 2\.12\.0 is installed; .* cu13.txt pins 2\.11\.0\."),
        ({"cupy": "13.0.0"}, r"cupy-cuda13x 13\.0\.0 is installed; .* cu13.txt pins 14\.2\.0\."),
        ({"gpu_uuid_hash": "another"}, r"2 GPUs are in this one result: .*\."),
    ],
)
@pytest.mark.parametrize("at", [0, -1])
def test_what_was_wrong_in_any_of_its_runs_is_said_once(recorded, facts, said, at):
    run, runs = recorded
    (found,) = doubts.of(run, altered(runs, at, **facts))
    assert re.fullmatch(said, found)


def test_what_is_not_known_is_said(recorded):
    run, runs = recorded
    (found,) = doubts.of(run, [])
    assert found == "Nothing is recorded of the driver, the link under load and throttling."
    (found,) = doubts.of(run.assign(log_sd=float("nan")), runs)
    assert found == "The noise is not known: no two numbers can be told apart."
    assert doubts.of(run.assign(pcie_link=float("nan")), runs) == []  # not every machine says
    unknown = doubts.of(run.assign(commit="0" * 40), altered(runs, torch="1.0"))
    assert unknown == []  # git has no such commit


def test_noise_and_busy_cores(recorded):
    run, runs = recorded
    (found,) = doubts.of(run.assign(relative_sd=run["relative_sd"] * 2.5), runs)
    assert found.endswith("a method beside the others varies by 3.4 % (pageable, new array).")
    both = doubts.of(run.assign(relative_sd=run["relative_sd"] * 9), runs)
    assert [line.partition(" (")[2] for line in both] == [
        "pageable).",  # of both operations
        "pinned, below).",
        "pinned, 4 MiB and more, new array).",
    ]
    (found,) = doubts.of(run.assign(processes_quiet=run["processes_quiet"] * 0), runs)
    assert re.match(r"The host was busy: 0 of 1120 processes were always on a quiet core", found)


def test_an_older_measurement_model(recorded):
    """As its own table, and where it is left out of another one."""
    table, _ = points.load(VERSION_1, machines={MACHINE})
    run = table[table["commit"].astype(str).str.startswith("e62adfd3")]
    gpus, turn = doubts.of(run, provenance.beside(VERSION_1, [], *run[points.RUN].iloc[0]))
    assert gpus.startswith("2 GPUs are in this one result")
    assert turn.startswith("The libraries were not measured in turn")
    run, runs = recorded
    one = run[run["method"].eq("torch")].assign(visits=None)
    assert not any("in turn" in doubt for doubt in doubts.of(one, runs))
    name = f"{MACHINE}/480cd8d3-existing-py3.12.json"
    left_out = [f"{name}: {what}: an older version" for what in ("one", "another")]
    (found,) = doubts.of(run, runs, [*left_out, "another-machine/x.json: y: an older version"])
    assert found.startswith("2 benchmarks of an older measurement model are left out")


@pytest.mark.parametrize(
    "facts",
    [
        {"link_width": "sixteen"},
        {"throttle_reasons": 5},
        {"python": 3, "cuda_runtime": [1]},
        {"cpu_affinity": 3, "cpu_throttled_seconds": "x"},
    ],
)
def test_facts_that_are_broken_break_nothing(recorded, facts):
    run, runs = recorded
    broken = altered(runs, **facts)
    found = first.of(run, run, broken)
    assert any("is broken" in line for line in found) or "python" in facts
    assert ways.of(run, broken)
