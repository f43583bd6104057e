"""The two commands, as a newcomer runs them."""

import contextlib
import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.asv_plugin.test_suite import wait_for_processes, wait_until
from tests.conftest import ROOT, TINY, new_clone

IN_VENV = Path(sys.prefix) == ROOT / ".venv"


@pytest.mark.skipif(not IN_VENV, reason="asv's own environments need a network, as .venv did")
def test_the_first_command_in_an_empty_clone(tmp_path):
    clone = new_clone(tmp_path, ROOT / "results")
    done = clone.call(sys.executable, "scripts/bench.py", "--", *TINY)
    assert done.returncode == 0, done.stdout
    assert "Making .venv" in done.stdout
    assert "4 processes measured, " in done.stdout
    site = clone.path / ".asv" / "html"
    assert f"The site with all results is in {site}" in done.stdout
    assert f"is {site / 'report.html'}\n" in done.stdout
    index = json.loads((site / "index.json").read_text())
    head = clone.git("rev-parse", "HEAD")[:8]
    (here,) = (p.parent.name for p in clone.path.glob(f"results/*/{head}-virtualenv-*.json"))
    assert {here, "nvidia-h100-80gb-hbm3"} <= set(index["machines"])
    graphs = (site / "graphs").rglob("host_to_device.HostToDevice.time_new_array.json")
    assert any("machine-nvidia-h100-80gb-hbm3" in str(graph) for graph in graphs)
    answer = done.stdout.partition("Recorded, not measured here:\nnvidia-h")[2]  # the fastest
    first = r"\w+, commit \w{8}, .*\n(- Doubtful: .*\n(  .*\n)*)?- The link is as it should be: "
    assert re.match(first, answer)
    assert answer.count("\n- ") >= 5
    assert f"\nMeasured here:\n{here}, commit {head}" in answer
    assert "- NumPy to NumPy, on the host alone: 1 KiB takes " in answer
    steps = "Making .venv", " packages installed; ", "Measuring what is asked for"
    steps += "Installing the libraries", "Publishing what is recorded", answer
    assert sorted(steps, key=done.stdout.index) == list(steps)
    ours_or_asvs = r"\w:\d+ +ok$|=====|\w+\.[A-Z]\w+\.time_|time_\w+: an older|total benchmarks"
    assert not re.search(ours_or_asvs, done.stdout, re.MULTILINE)
    assert f"cd {clone.path} && {clone.path}/.venv/bin/python -m asv preview" in done.stdout

    # Once more: all that is needed is there.
    nothing = clone.call(sys.executable, "scripts/bench.py", "--", "--bench", "no_such_thing")
    assert nothing.returncode == 1
    assert "Measuring what is asked for" in nothing.stdout
    assert "Making .venv" not in nothing.stdout
    assert "Installing" not in nothing.stdout
    assert nothing.stdout.splitlines()[-1].endswith("No benchmarks selected")


def test_where_there_is_no_history_nothing_is_made(project):
    (project.path / ".git").rename(project.home / "history")
    nobodys = project.call(sys.executable, "scripts/bench.py")
    assert project.call("git", "init", "-q").returncode == 0
    empty = project.call(sys.executable, "scripts/bench.py")
    gitless = project.call(sys.executable, "scripts/bench.py", PATH=str(project.home))
    for done in nobodys, empty, gitless:
        assert done.returncode == 1
        assert re.fullmatch(r"[^\n]*[Rr]esults belong to commits[^\n]*\n", done.stdout)
    assert not (project.path / ".venv").exists()


def test_words_that_asv_does_not_know_are_no_points_that_failed(project):
    done = project.call(sys.executable, "scripts/bench.py", "--python=same", "--", "--nope")
    assert done.returncode == 2
    assert done.stdout.endswith("error: unrecognized arguments: --nope\n")
    assert "failed" not in done.stdout
    assert not (project.path / ".asv" / "html").exists()


def test_a_terminated_first_command_leaves_nothing_that_measures(project):
    command = [sys.executable, "scripts/bench.py", "--python=same", "--", "--bench", "HostCopy"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    environment = project.environment(PYTHONUNBUFFERED="1")
    with subprocess.Popen(command, cwd=project.path, env=environment, **pipes) as process:
        wait_for_processes(project)
        process.terminate()
        rest = process.stdout.read()  # to the end of asv and of all that it has started
    assert process.returncode not in (0, None)
    assert re.search(r"process(es are| is) kept, and the next run goes on from there", rest)
    assert "Traceback" not in rest


def test_a_python_that_lacks_asv_is_told_what_to_install(project):
    done = project.call(sys.executable, "-S", "scripts/bench.py", "--python=same")
    assert done.returncode == 1
    assert re.fullmatch(r"This Python has no asv, [^\n]*: pip install [^\n]*\n", done.stdout)


def test_measuring_with_the_libraries_of_this_python(clone):
    done = clone.call(sys.executable, "scripts/bench.py", "--python=same", "--", *TINY)
    assert done.returncode == 0, done.stdout
    head = clone.git("rev-parse", "HEAD")
    python = "{}.{}".format(*sys.version_info)
    assert list(clone.path.glob(f"results/*/{head[:8]}-existing-py{python}.json"))
    assert not (clone.path / ".venv").exists()


@pytest.mark.slow
@pytest.mark.skipif(not IN_VENV, reason="the tests do not run in .venv")
def test_the_second_command_ends_with_what_it_ran(project):
    shutil.copytree(ROOT / ".venv", project.path / ".venv", symlinks=True)
    words = (sys.executable, "scripts/test.py", "tests/test_ours.py", "-q")
    ours = project.path / "tests" / "test_ours.py"
    ours.write_text("def test_ours():\n    assert True\n")
    done = project.call(*words)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    ours.write_text("def test_ours():\n    assert False\n")
    assert project.call(*words).returncode == 1
    ours.write_text("import os\n\n\ndef test_ours():\n    assert True\n")
    assert project.call(*words).returncode == 1  # an import that is not used
    ours.write_text("def test_ours():\n    assert True\n")
    (project.path / "benchmarks" / "broken.py").write_text("raise ImportError\n")
    assert project.call(*words).returncode == 1  # asv cannot import the suite


def test_somebody_elses_environment_is_left_alone(project):
    theirs = project.path / ".venv" / "precious"
    theirs.parent.mkdir()
    theirs.write_text("theirs")
    done = project.call(sys.executable, "scripts/bench.py")
    assert done.returncode == 1
    assert re.fullmatch(
        r"\S+ is there and was not made by this project; move it away\n", done.stdout
    )
    assert theirs.read_text() == "theirs"


def installing(project, word=""):
    """Whether somebody writes into the project's .venv, `word` among what it is called with."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            text = path.read_text()
            if str(project.path / ".venv") in text and word in text.split("\0"):
                return True
    return False


def test_an_interrupted_environment_is_made_again(project):
    command = [sys.executable, "scripts/bench.py", "--", *TINY]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    for word, end in ("venv", signal.SIGINT), ("install", signal.SIGKILL):
        environment = project.environment()
        with subprocess.Popen(command, cwd=project.path, env=environment, **pipes) as process:
            assert process.stdout.readline().startswith("Making .venv")
            wait_until(lambda word=word: installing(project, word))
            process.send_signal(end)
            said = process.stdout.read()
        if end == signal.SIGINT:
            assert (process.returncode, said.splitlines()[-1]) == (1, "Interrupted")
    wait_until(lambda: not installing(project))
    assert not (project.path / ".venv" / "made-from").read_text()


def test_an_old_python_is_told_so(project):
    code = """
import sys
sys.path.insert(0, ".")
sys.version_info, sys.version = (3, 10, 1, "final", 0), "3.10.1 (main)"
from scripts.setup import dotvenv
dotvenv.enter()
"""
    done = project.call(sys.executable, "-c", code)
    assert done.returncode == 1
    assert done.stdout == "Python 3.11 or later is needed; this is 3.10.1\n"
