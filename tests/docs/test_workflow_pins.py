"""pins.yml's scripts, run as they stand: what is resolved, what is proposed, what is refused."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from scripts.setup import moved
from tests.docs.test_workflow_scripts import run, stand_in
from tests.docs.workflows import read, script

UV = """echo "$@" >> "$RUNNER_TEMP/calls"
[[ ! "$*" =~ $FAILS ]]
"""
GH = """echo "$@" >> "$RUNNER_TEMP/calls"
case "$*" in
  *.[].number) cat "$RUNNER_TEMP/open" ;;
  *.number) echo 7 | tee "$RUNNER_TEMP/open" ;;
esac
"""
PYTHON = f'exec {sys.executable} "$@"\n'


@pytest.fixture
def temp(tmp_path):
    folder = tmp_path / "temp"
    folder.mkdir()
    (folder / "open").touch()
    return folder


def calls(temp):
    """What was called since this was asked last."""
    said = (temp / "calls").read_text().splitlines() if (temp / "calls").exists() else []
    (temp / "calls").unlink(missing_ok=True)
    return said


def test_all_pins_are_resolved_for_every_python_and_one_that_is_not_fails(project, temp):
    variables = {"PATH": stand_in(project.home, "uv", UV), "RUNNER_TEMP": str(temp)}
    resolve = script("pins", "resolve", "Resolve")
    assert run(resolve, project.path, FAILS="nothing", **variables).returncode == 0
    said = calls(temp)
    names = sorted(path.stem for path in project.path.glob("requirements/*.in"))
    assert names == ["cu12", "cu13", "dev", "host"]
    for name in names:
        path = f"requirements/{name}"
        wanted = f"--upgrade --universal --python-version 3.11 {path}.in -o {path}.txt"
        assert sum(call.endswith(wanted) for call in said) == 1
        pythons = [call.split()[7] for call in said if call.endswith(f"-r {path}.txt")]
        assert pythons == ["3.11", "3.12", "3.13", "3.14"]
    assert len(said) == 5 * len(names)
    for fails in "compile .*cu12", "version 3.14 .*cu13":
        assert run(resolve, project.path, FAILS=fails, **variables).returncode == 1
        assert len(calls(temp)) < 5 * len(names)


def test_uv_is_the_one_that_is_pinned(project, temp):
    """No other line of the tools' requirements has that beginning."""
    install = script("pins", "resolve", "Install uv, as it is pinned")
    python = 'mkdir -p "$3/bin"\ncp "$0" "$3/bin/pip"\necho "$@" >> "$RUNNER_TEMP/calls"\n'
    variables = {"PATH": stand_in(project.home, "python3", python), "RUNNER_TEMP": str(temp)}
    done = run(install, project.path, GITHUB_PATH=str(temp / "path"), **variables)
    assert done.returncode == 0, done.stdout
    _, last = calls(temp)
    assert last.startswith("install --quiet --no-deps uv==")
    assert len(last.split()) == 4
    assert (temp / "path").read_text() == f"{temp}/uv/bin\n"


def bump(project, old, new):
    path = project.path / "requirements" / "cu13.txt"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_where_nothing_has_moved_nothing_is_proposed(project):
    what = script("pins", "resolve", "What has moved")
    path = stand_in(project.home, "python3", PYTHON)
    output = project.path / "GITHUB_OUTPUT"
    bump(project, "# via cuda-python", "# via nothing")  # no version
    assert run(what, project.path, PATH=path).returncode == 0
    assert output.read_text() == ""
    bump(project, "torch==", "torch==9")
    assert run(what, project.path, PATH=path).returncode == 0
    assert output.read_text() == "moved=true\n"
    assert "| torch | " in (project.path / "GITHUB_STEP_SUMMARY").read_text()
    job = read("pins")["jobs"]["propose"]
    assert job["if"] == "needs.resolve.outputs.moved == 'true'"


@pytest.fixture
def propose(project, temp, tmp_path):
    """A function: what proposing the pins of the project as they are now came to."""
    project.git("clone", "-q", "--bare", ".", str(tmp_path / "origin.git"))
    programs = stand_in(tmp_path, "gh", GH), stand_in(tmp_path, "python3", PYTHON)

    def proposed(harm=lambda path: None):
        shutil.rmtree(temp / "pins", ignore_errors=True)
        shutil.copytree(project.path / "requirements", temp / "pins", symlinks=True)
        harm(temp / "pins" / "dev.txt")
        hosted = tmp_path / "hosted"
        shutil.rmtree(hosted, ignore_errors=True)
        project.git("clone", "-q", str(tmp_path / "origin.git"), str(hosted))
        variables = {
            "RUNNER_TEMP": str(temp),
            "GITHUB_REPOSITORY": "a/b",
            "GITHUB_REPOSITORY_OWNER": "a",
            "GITHUB_REF_NAME": "main",
            "PATH": programs[-1],
        }
        text = script("pins", "propose", "Propose, or bring what is proposed up to date")
        return run(text, hosted, **variables)

    return proposed


def test_one_pull_request_is_opened_and_then_brought_up_to_date(project, temp, tmp_path, propose):
    def pushed(*words):
        return project.git("-C", str(tmp_path / "origin.git"), *words)

    bump(project, "numpy==2", "numpy==3")
    done = propose()
    assert done.returncode == 0, done.stdout
    first = pushed("rev-parse", "refresh-pins")
    text = f"-F body=@{temp}/pull.md"
    start = "workflow run gate.yml --ref refresh-pins -f base=origin/main -f pull_request=7"
    starts = [start, "workflow run tests.yml --ref refresh-pins"]
    asks, opens, *others = calls(temp)
    assert asks.startswith("api repos/a/b/pulls?state=open&base=main&head=a:refresh-pins ")
    about = f"-f title=Newer pins -f base=main -f head=refresh-pins {text}"
    assert (opens, others) == (f"api repos/a/b/pulls {about} --jq .number", starts)
    assert "\n| numpy | 2.4.6, 2.5.5 | 3.4.6, 3.5.5 |\n" in (temp / "pull.md").read_text()
    changed = pushed("show", "--format=%an: %s", "--name-only", first)
    assert changed.startswith("github-actions[bot]: Newer pins, of 20")
    assert changed.splitlines()[1:] == ["", "requirements/cu13.txt"]

    done = propose()  # a week without a new version
    assert done.stdout.splitlines()[-1] == "Pull request 7 has all of it"
    assert (calls(temp), pushed("rev-parse", "refresh-pins")) == ([asks], first)

    bump(project, "torch==", "torch==9")
    assert propose().returncode == 0
    change = f"api --silent -X PATCH repos/a/b/pulls/7 {text}"
    assert calls(temp) == [asks, change, *starts]
    assert pushed("rev-list", "--count", "main..refresh-pins") == "1"  # one point on the axis
    assert pushed("rev-parse", "refresh-pins") != first


HOSTILE = {
    "option": lambda path: path.write_text("--index-url https://example.net\n"),
    "address": lambda path: path.write_text("numpy @ https://example.net/numpy.whl\n"),
    "word": lambda path: path.write_text("numpy==1 --config-settings=x=y\n"),
    "link": lambda path: (path.unlink(), path.symlink_to("cu13.txt")),
    "missing": Path.unlink,
    "pipe": lambda path: (path.unlink(), os.mkfifo(path)),
}


@pytest.mark.parametrize("harm", HOSTILE)
def test_what_is_no_file_of_pins_is_not_pushed(project, temp, tmp_path, propose, harm):
    done = propose(HOSTILE[harm])
    assert done.returncode == 1
    if harm in ("option", "address", "word"):
        assert done.stdout.startswith("dev.txt: ")
        assert done.stdout.endswith(" is no pin\n")
    assert calls(temp) == []
    assert project.git("-C", str(tmp_path / "origin.git"), "branch", "--list", "refresh*") == ""


def test_a_table_has_what_moved():
    old = "a==1 ; python_version < '3.12'\na==2 ; python_version >= '3.12'\nb==1\nc==1\n"
    new = "a==1 ; python_version < '3.12'\na==3 ; python_version >= '3.12'\nd==1 # x\nc==1\n"
    rows = ["| a | 1, 2 | 1, 3 |", "| b | 1 |  |", "| d |  | 1 |"]
    head = ["**cu13**", "", "| | from | to |", "| --- | --- | --- |"]
    assert list(moved.moved("cu13", old, new)) == [*head, *rows, ""]
    assert list(moved.moved("cu13", old, f"# new\n{old}")) == []
