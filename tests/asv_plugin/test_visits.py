"""`asv run` by visits: the process of one method measures all, and each answer is the right one's.

The methods copy on the host (tests/copying.py).
"""

import itertools
import json
import re
import signal

import pytest

from scripts.reading import exported, points
from scripts.recording import noise
from tests import copying
from tests.asv_plugin.test_suite import start, wait_until, whole_lines
from tests.conftest import change

NAME = "host_to_device.HostToDevice.time_existing_array"
POINT = r"existing_array\(.*'pageable', 'float32', 1024\)"
ONE_ROUND = "-a", "rounds=1"
METHODS = "cuda-python", "torch", "cupy", "pycuda"


def found(project):
    """{method: (samples, the line of the noise file)} of what was measured of POINT."""
    result = json.loads(project.results().read_text())
    columns = dict(zip(result["result_columns"], result["results"][NAME], strict=False))
    points = itertools.product(*columns["params"])
    lines = noise.load(noise.path_beside(project.results()))
    measured = {}
    for index, (method, *rest) in enumerate(points):
        name = method.strip("'")
        line = lines.get((NAME, name, "pageable", "float32", 1024))
        if line and "skipped" not in line and rest == ["'pageable'", "'float32'", "1024"]:
            measured[name] = columns["samples"][index], line
    return measured


@pytest.fixture
def copies(project):
    """copies(module=text): a project whose methods copy on the host, with more in their modules."""
    return lambda **more: copying.methods(project, **more) or project


# A method whose sample says its round: that of one round is the same for all.
COUNTS = """

def copy(target, source, calls=[]):
    numpy.copyto(target, source)


from .. import in_turn
if not hasattr(in_turn, "number"):
    in_turn.number, original = [0], in_turn.take_round

    def take_round(group, order, level, wake=0):
        in_turn.number[0] += 1
        one = original(group, order, level, wake)
        factor = {name: 10.0 ** place for place, name in enumerate(sorted(one.seconds))}
        for name in one.seconds:
            one.seconds[name] = factor[name] * in_turn.number[0] * 1e-6
        return one

    in_turn.take_round = take_round
"""


def test_the_samples_of_a_visit_line_up_in_the_results(copies):
    project = copies(cuda_python=COUNTS)
    done = project.run("--bench", POINT)
    assert done.returncode == 0, done.stdout
    assert "2 processes measured" in done.stdout
    measured = found(project)
    assert set(measured) == set(METHODS)
    first = measured["cuda-python"]
    assert len(first[0]) == 50
    assert len(set(first[1]["visit"])) == 2
    for place, name in enumerate(sorted(METHODS)):
        samples, line = measured[name]
        assert samples == pytest.approx([10.0**place * one for one in first[0]], rel=1e-4)
        assert {**line, "parameters": 0} == {**first[1], "parameters": 0}
    rounds = [round(1e6 * one) for one in first[0]]
    assert len(set(rounds[:25])) == len(set(rounds[25:])) == 25


def test_only_what_was_asked_for_is_recorded(copies):
    project = copies()
    done = project.run("--bench", r"existing_array\('torch', 'pageable', 'float32', 1024\)")
    assert done.returncode == 0, done.stdout
    assert set(found(project)) == {"torch"}
    assert "2 processes measured" in done.stdout
    assert not list(project.path.glob("results/*/*.unfinished.jsonl"))
    before = found(project)["torch"]
    others = project.run("--bench", r"existing_array\('(cupy|pycuda)', 'pageable', 'float32', 1024")
    assert "2 processes measured" in others.stdout
    after = found(project)
    assert after["torch"] == before
    assert after["cupy"][1]["visit"] == after["pycuda"][1]["visit"] != before[1]["visit"]


def test_appended_samples_are_further_visits(copies):
    project = copies()
    assert project.run("--bench", POINT, *ONE_ROUND).returncode == 0
    first = found(project)
    assert project.run("--bench", POINT, *ONE_ROUND, "--append-samples").returncode == 0
    assert all(found(project)[name][0][:25] == first[name][0] for name in METHODS)
    lines = [line for _, line in found(project).values()]
    assert [len(samples) for samples, _ in found(project).values()] == 4 * [50]
    assert len({tuple(line["visit"]) for line in lines}) == 1
    assert len(set(lines[0]["visit"])) == 2


def test_more_samples_than_a_visit_has_are_of_several(copies):
    project = copies()
    assert project.run("--bench", POINT, *ONE_ROUND, "-a", "repeat=30").returncode == 0
    for samples, line in found(project).values():
        assert len(samples) == 30
        assert line["samples"] == [25, 5]
        assert len(set(line["visit"])) == 2
    assert project.run("--bench", POINT, *ONE_ROUND, "-a", "repeat=4").returncode == 0
    assert [line["samples"] for _, line in found(project).values()] == 4 * [[4]]


def test_a_method_that_fails_or_is_not_there_stops_no_other(copies):
    project = copies(
        cuda_python="\n\ndef load():\n    import not_there\n",
        cupy="\n\ndef copy(target, source):\n    raise ValueError('as it copies')\n",
        pycuda="\n\ndef existing_array(host):\n    raise MemoryError('no room')\n",
    )
    done = project.run("--bench", POINT, *ONE_ROUND, "--show-stderr")
    assert done.returncode == 2
    assert set(found(project)) == {"torch"}
    assert "1 point is n/a: cuda-python is not installed (no module not_there)" in done.stdout
    assert "1 point is n/a: not enough memory: no room" in done.stdout
    assert "1 point failed" in done.stdout
    assert "ValueError: as it copies" in done.stdout
    assert "1 process measured" in done.stdout


def states(project, *more):
    """(status, reason) of each method at POINT, and of all other points, as points.py writes it."""
    table, left_out = points.load(project.path / "results")
    rows = exported.of(table, left_out, project.path / "results")
    assert not left_out
    there = rows["memory"].eq("pageable") & rows["dtype"].eq("float32") & rows["nbytes"].eq(1024)
    there &= rows["benchmark"].eq(NAME)
    found = zip(
        rows["status"],
        rows["reason"].astype(object).where(rows["reason"].notna(), None),
        strict=False,
    )
    found = list(found)
    ours = {m: one for m, one, here in zip(rows["method"], found, there, strict=False) if here}
    return ours, {one for one, here in zip(found, there, strict=False) if not here}


def test_why_a_point_is_na_is_kept_and_of_one_not_asked_for_nothing_is_said(copies):
    """Until it is measured, or fails."""
    missing = "\n\ndef load():\n    import not_there\n"
    fails = "\n\ndef copy(target, source):\n    raise ValueError\n"
    project = copies(cuda_python=missing, torch="", cupy=fails, pycuda=missing)
    assert project.run("--bench", POINT, *ONE_ROUND).returncode == 2
    of, others = states(project)
    reason = "n/a", "cuda-python is not installed (no module not_there)"
    assert of["cuda-python"] == reason
    assert of["torch"] == ("ok", None)
    assert of["cupy"] == ("failed", None)
    assert others == {("not measured", None)}

    same = "--set-commit-hash", project.git("rev-parse", "HEAD")
    elsewhere = POINT.replace("1024", "8192")
    assert project.run("--bench", elsewhere, *ONE_ROUND, *same).returncode == 2
    of, others = states(project)
    assert of["cuda-python"] == reason  # it was not asked for again
    assert reason in others
    change(project, "benchmarks/methods/cuda_python.py", "import not_there", "pass")
    change(project, "benchmarks/methods/pycuda.py", "import not_there", "import numpy\n" + fails)
    loads = "def load():\n    return"
    change(project, "benchmarks/methods/pytorch.py", loads, f"{missing}    return")
    done = project.run("--bench", POINT, *ONE_ROUND, *same)
    assert "1 point could not be measured now: the earlier result stays" in done.stdout
    of, _ = states(project)
    assert of["cuda-python"] == of["torch"] == ("ok", None)
    assert of["pycuda"] == ("failed", None)
    assert set(found(project)) == {"cuda-python", "torch"}
    lines = noise.load(noise.path_beside(project.results())).values()
    assert {line["parameters"][-1] for line in lines if "skipped" in line} == {8192}


DIES = """

def copy(target, source):
    import os
    os.kill(os.getpid(), 9)
"""

DIES_ONCE = """

def copy(target, source):
    import os
    try:
        open({once!r}, "x")
    except FileExistsError:
        numpy.copyto(target, source)
    else:
        os._exit(7)
"""


def test_of_a_process_that_dies_each_method_is_measured_alone(copies):
    project = copies(pytorch=DIES)
    done = project.run("--bench", POINT, *ONE_ROUND)
    assert done.returncode == 2
    measured = found(project)
    assert set(measured) == {"cuda-python", "cupy", "pycuda"}
    assert len({line["visit"][0] for _, line in measured.values()}) == 3
    assert "1 visit ended too soon, so each method was measured alone: " in done.stdout
    assert "1 point failed" in done.stdout


def test_a_visit_is_tried_again_after_a_round_in_which_it_died(copies, tmp_path):
    project = copies(pytorch=DIES_ONCE.format(once=str(tmp_path / "once")))
    done = project.run("--bench", POINT)
    assert done.returncode == 0, done.stdout
    assert "1 visit ended too soon, so each method was measured alone: " in done.stdout
    first, second = zip(*(line["visit"] for _, line in found(project).values()), strict=True)
    assert (len(set(first)), len(set(second))) == (4, 1)


def test_what_an_interrupt_leaves_of_a_visit_is_served_to_the_next_run(copies):
    project = copies()
    bench = ("--bench", r"existing_array\(.*'pageable', 'float32', (1024|8192|65536)\)", *ONE_ROUND)
    run = start(project, *bench)
    journals = project.path.glob
    wait_until(
        lambda: any(len(whole_lines(one)) > 4 for one in journals("results/*/*.unfinished.jsonl"))
    )
    run.send_signal(signal.SIGINT)
    out, _ = run.communicate()
    kept = int(re.search(r"Interrupted; (\d+) process", out)[1])
    assert kept in (1, 2, 3)  # of three visits, each of four methods
    done = project.run(*bench)
    assert done.returncode == 0, done.stdout
    assert f"Going on with an unfinished run: {kept} process" in done.stdout
    measured = found(project)
    assert set(measured) == set(METHODS)
    assert len({tuple(line["visit"]) for _, line in measured.values()}) == 1
    assert not list(project.path.glob("results/*/*.unfinished.jsonl"))


def test_a_dry_run_measures_each_visit_once(copies):
    project = copies()
    done = project.run("--bench", POINT, "--dry-run")
    assert done.returncode == 0, done.stdout
    assert "2 processes measured" in done.stdout


def test_a_level_that_is_corrected_holds_for_what_waits(copies):
    """The first visit is of no quiet core, as the second shows: so are its other methods' samples,
    which asv asks for later."""
    project = copies()
    ended = project.home / "ended"
    ended.touch()
    sentinel = f"return (1e-3, 1e-4, 1e-4)[len(open({str(ended)!r}).read())]"
    change(project, "benchmarks/quiet_core.py", "return min(taken)", sentinel)
    end = f'open({str(ended)!r}, "a").write("."); print("note:"'
    change(project, "benchmarks/reasons.py", 'print("note:"', end)
    done = project.run(
        "--bench", r"existing_array\(.*'pageable', 'float32', (1024|8192)\)", *ONE_ROUND
    )
    assert done.returncode == 0, done.stdout
    assert {line["quiet"][0] for _, line in found(project).values()} == {0}
