"""gate.py as its users run it: real processes of two stacks, on the host's own copy."""

import json
import re
import signal
import subprocess
import sys
import time

import pytest
from asv.util import UserError

from scripts.gate import comparable, pairs, recording
from tests.conftest import ROOT

GATE = sys.executable, "scripts/gate.py"
SMALL = "--bench", r"HostCopy.*'float32', 1024\)"
CALIBRATE = *GATE, "calibrate", "--python=same", *SMALL
CALIBRATION = ROOT / "results" / "nvidia-h100-80gb-hbm3" / "calibration.jsonl"


def one_line(done, *parts):
    """It ended with 2 and one line that has all `parts`; returns the line."""
    line = done.stdout.strip().splitlines()[-1]
    assert done.returncode == 2, done.stdout
    assert "Traceback" not in done.stdout
    assert line.startswith("Cannot say: ")
    for part in parts:
        assert part in line, line
    return line


def recorded(project):
    (path,) = project.path.glob(".asv/gate/*.jsonl")
    return path


@pytest.mark.gpu
def test_nothing_is_found_on_a_gpu_where_nothing_changed(project):
    """Not in test_gpu.py, whose own process would be another one on the GPU."""
    points = r"existing_array\('(cupy|torch)', 'pinned', 'float32', (1024|4194304)\)"
    words = "--bench", points, "--bench", r"time_link\(\d{4,7}\)"
    done = project.call(*GATE, "calibrate", "--python=same", *words)
    assert done.returncode == 0, done.stdout
    (path,) = project.path.glob("results/*/calibration.jsonl")
    _, (run,), lines = recording.read(path)
    assert run["facts"]["driver"]
    assert run["alarms"] == []
    visits = pairs.of(lines)
    assert set(visits.groupby(["method", "nbytes"]).size()) == {4}
    assert abs(visits[visits["nbytes"] == 4 << 20]["change"]).median() < 0.02


# A NumPy that takes one and a half times as long for a copy of 1 KiB as the one in host.txt.
OLDER = {(3, 11): "1.23.5", (3, 12): "1.26.4"}.get(sys.version_info[:2])


@pytest.mark.skipif(not OLDER, reason="this Python has no NumPy that is so much slower")
def test_two_stacks(project):
    base = project.git("rev-parse", "HEAD")
    (project.path / "requirements" / "host.txt").write_text(f"numpy=={OLDER}\n")
    project.git("commit", "-qam", "an older NumPy")
    files = "--json", "gate.json", "--markdown", "gate.md"
    done = project.call(*GATE, "compare", "HEAD~1", "main", *SMALL, *files)
    facts = json.loads((project.path / "gate.json").read_text())
    first, (run,), visits = recording.read(recorded(project))
    assert facts["base"] == first["sides"][0] == base
    assert run["whole"]
    assert run["facts"]["sides"][1]["numpy"] == OLDER
    assert run["facts"]["sides"][0]["numpy"].startswith("2.")
    (series,) = facts["series"]
    assert series["visits"] == len(visits) == run["processes"] / 2
    if done.returncode == 2:  # beside another test's work
        assert "Cannot say: too noisy: in 1 of 1 series even +100 % may be missed" in done.stdout
        pytest.skip("this machine is too noisy just now to tell two NumPys apart")
    assert done.returncode == 1, done.stdout
    newer = run["facts"]["sides"][0]["numpy"]
    assert facts["pins"] == {"numpy": [newer, OLDER]}
    assert f"\n  copy, pageable: can come from numpy {newer} -> {OLDER}\n" in done.stdout
    assert re.search(r"^Slower: copy, pageable: \+\d+ % \(copy, 1 KiB float32", done.stdout, re.M)
    assert "has no calibration (gate.py calibrate makes it)" in done.stdout
    assert (facts["code"], series["found"], series["nbytes"]) == (1, "slower", 1024)
    assert (project.path / "gate.md").read_text().startswith("**Slower**\n")


def start(project, *words):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(words, cwd=project.path, env=project.environment(), **pipes)


def wait_for_visits(project, count):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for path in project.path.glob(".asv/gate/*.jsonl"):
            if path.read_text().count('"change"') >= count:
                return path
        time.sleep(0.02)
    raise AssertionError("nothing was measured")


def test_an_interrupted_calibration_is_gone_on_with_and_kept(project):
    words = *CALIBRATE, "--processes", "30"
    run = start(project, *words)
    path = wait_for_visits(project, 3)
    run.send_signal(signal.SIGINT)
    said = run.communicate(timeout=30)[0]
    assert run.returncode == 2
    assert said.strip().splitlines()[-1].startswith("Cannot say: interrupted; what was")
    kept = path.read_text().count('"change"')
    assert kept >= 3
    path.write_text(path.read_text() + '{"benchmark": "half a li')
    done = project.call(*CALIBRATE)
    assert done.returncode == 0, done.stdout
    assert f"Going on with an unfinished run: {2 * kept} processes measured already" in done.stdout
    (path,) = project.path.glob("results/*/calibration.jsonl")
    assert f"Kept in {path.relative_to(project.path)}; commit it to keep it" in done.stdout
    first, _, visits = recording.read(path)
    assert first["sides"] == 2 * [project.git("rev-parse", "HEAD")]
    assert first["versions"] == {"reference.HostCopy.time_copy": "2"}
    assert [line["round"] for line in visits] == list(range(max(4, kept)))
    assert [line["visit"] for line in visits] == list(range(max(4, kept)))
    assert all(len(line["seconds"]) == 2 for line in visits)


@pytest.mark.slow
def test_what_was_measured_under_other_conditions_is_not_gone_on_with(project):
    run = start(project, *CALIBRATE, "--processes", "30")
    path = wait_for_visits(project, 3)
    run.kill()
    run.communicate()
    path.write_text(re.sub(r'"numpy": "[\d.]+"', '"numpy": "1.0"', path.read_text()))
    done = project.call(*CALIBRATE)
    assert "Not gone on with an unfinished run" in done.stdout
    assert "Going on" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["taken away", "changed"])
def test_a_recording_that_is_harmed_in_mid_run(project, harm):
    run = start(project, *CALIBRATE, "--processes", "8" if harm == "changed" else "60")
    path = wait_for_visits(project, 2)
    if harm == "taken away":
        path.unlink()
    else:
        *_, visit = (line for line in path.read_text().splitlines() if '"change"' in line)
        with open(path, "a") as file:  # the run writes on, behind it
            file.write(visit + "\n")
    said = run.communicate(timeout=120)[0]
    assert run.returncode == 2
    assert f"was {harm} while it was measured into" in said.strip().splitlines()[-1]
    assert not list(project.path.glob("results/*/calibration.jsonl"))


def test_a_budget_too_short(project):
    line = one_line(project.call(*CALIBRATE, "--budget", "0.001"), "ended 4 pairs of processes too")
    assert "goes on from there" in line


def test_commits_that_cannot_be_compared(project, monkeypatch):
    one_line(project.call(*GATE, "compare", "nope", "HEAD"), "there is no commit 'nope'")
    monkeypatch.chdir(project.path)
    commit = comparable.commit_hash("HEAD")
    assert commit == comparable.commit_hash("main")
    with pytest.raises(UserError, match=r"^BASE and HEAD are both"):
        comparable.check_commits(commit, commit)
    for name, why in ("HEAD..HEAD", "there is no commit"), ("HEAD^{tree}", r"^.*HEAD\^{tree}.*$"):
        with pytest.raises(UserError, match=why):
            comparable.commit_hash(name)


def test_results_that_are_not_there(project):
    one_line(project.call(*GATE, "history"), "Of which? there is none")
    one_line(project.call(*GATE, "history", "nope"), "No machine 'nope'")


def test_a_commit_that_a_shallow_clone_lacks(project):
    shallow = project.path.parent / "shallow"
    project.git("clone", "-q", "--depth=1", f"file://{project.path}", str(shallow))
    project.path = shallow
    done = project.call(*GATE, "compare", "HEAD~1", "HEAD")
    one_line(done, "there is no commit 'HEAD~1'", "this clone is shallow: git fetch --unshallow")


def test_points_that_cannot_be_measured(project):
    same = *GATE, "calibrate", "--python=same", "--bench"
    one_line(project.call(*same, "Harness"), "No benchmark's name has Harness in it")
    one_line(project.call(*same, "("), "is no regular expression")
    same = *same, r"new_array.*torch', 'pinned', 'float32', 1024"
    gpu = project.call(*same, CUDA_VISIBLE_DEVICES="-1")
    one_line(gpu, "Nothing was measured on both sides: ")


def test_a_stack_that_cannot_be_installed(project):
    (project.path / "requirements" / "host.txt").write_text("numpy==0.0.1\n")
    project.git("commit", "-qam", "no such NumPy")
    done = project.call(*GATE, "compare", "HEAD", "HEAD~1", *SMALL, "--markdown", "gate.md")
    line = one_line(done, "The stack of", "could not be installed", "numpy==0.0.1")
    assert (project.path / "gate.md").read_text().startswith("**Cannot say**: The stack of ")
    assert len(line) < 250


def test_machines_that_are_not_there(clone):
    one_line(clone.call(*GATE, "history"), "Of which? there are nvidia-h100-80gb-hbm3, nvidia-h200")
    done = clone.call(*GATE, "history", "nvidia-h100-80gb-hbm3")
    assert done.returncode == 0
    assert "No change found in " in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("compare", "a", "b", "--budget", "0"),
        ("compare", "a", "b", "--budget", "nan"),
        ("calibrate", "--processes", "3"),
        ("history", "--processes", "4"),
        ("evaluate",),
        ("compare", "a"),
        (),
    ],
)
def test_words_that_mean_nothing(words):
    done = subprocess.run([*GATE, *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "gate.py" in done.stderr.splitlines()[-1]


def test_a_report_that_cannot_be_written(project):
    done = project.call(*GATE, "compare", "HEAD~1", "HEAD", "--markdown", "no/such/gate.md")
    one_line(done, "no/such/gate.md' is a folder, or in one that is not there")
    one_line(project.call(*GATE, "compare", "HEAD~1", "HEAD", "--json", "tests"), "is a folder")
    words = "--json", "/dev/full", "--markdown", "gate.md"
    done = project.call(*GATE, "compare", "HEAD", "HEAD", *words)
    one_line(done, "BASE and HEAD are both")
    assert "Cannot write: [Errno 28] No space left on device" in done.stdout
    assert "are both" in (project.path / "gate.md").read_text()
    one_line(project.call(*GATE, "compare", "HEAD~1", "HEAD", "--json", ""), "'' is a folder")


def test_no_finding_where_its_own_python_cannot_be_made(project):
    (project.path / "requirements" / "dev.txt").unlink()
    done = project.call(sys.executable, "-S", "scripts/gate.py", "history")
    one_line(done, "Could not make ")
    assert "No such file or directory" in done.stdout
