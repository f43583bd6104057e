"""The shell scripts in the workflows, run as they stand, with stand-ins for what they call."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from markdown_it import MarkdownIt

from scripts.gate import answer
from scripts.words.markdown import folded
from tests import derived
from tests.conftest import ROOT
from tests.docs.workflows import read, script


def stand_in(folder, name, text):
    """A program called `name`, found before any other; the folder for PATH."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    (programs / name).write_text("#!/bin/bash\n" + text)
    (programs / name).chmod(0o755)
    return f"{programs}{os.pathsep}{os.environ['PATH']}"


def run(text, folder, **variables):
    """Run a step's script as GitHub does."""
    for name in "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY":
        variables.setdefault(name, str(folder / name))
        (folder / name).touch()
    return subprocess.run(
        ["bash", "-e", "-c", text],
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(
    ("exits", "report", "code", "says"),
    [
        (0, "all is well", 0, ""),
        (1, "torch is slower", 1, "::error title=Slower::"),
        (2, "too noisy", 2, "::error title=Could not say::"),
        (1, "", 2, "::error title=Could not say::"),  # a traceback
    ],
)
def test_the_gate_is_green_only_if_it_found_nothing(project, exits, report, code, says):
    base = project.git("rev-parse", "HEAD")
    project.git("checkout", "-q", "-b", "bump")
    project.git("commit", "-q", "--allow-empty", "-m", "a bump")
    head = project.git("rev-parse", "HEAD")
    project.git("checkout", "-q", "main")
    project.git("commit", "-q", "--allow-empty", "-m", "not in the branch")
    tip = project.git("rev-parse", "HEAD")
    gate = f'echo "$@" > words\nprintf "{report}" > gate.md\nexit {exits}\n'
    path = stand_in(project.home, "python3", gate)
    measure = script("gate", "measure", "Measure")
    done = run(measure, project.path, PATH=path, BASE=tip, HEAD=head)
    assert done.returncode == code
    assert done.stdout.startswith(says)
    assert bool(done.stdout) == bool(says)
    words = (project.path / "words").read_text().split()
    assert words[:4] == ["scripts/gate.py", "compare", base, head]
    said = report or "The gate made no report (exit code 1).\n"
    assert (project.path / "gate.md").read_text() == said
    assert (project.path / "GITHUB_STEP_SUMMARY").read_text() == said


@pytest.fixture
def comment(tmp_path):
    """A function: what writing the comment came to, of a folder `gate` with the report."""
    (tmp_path / "gate").mkdir()

    def write(there=""):
        gh = f'echo "$@" >> calls\n[[ $* != *--paginate* ]] || printf "{there}"\n'
        variables = {
            "GITHUB_SERVER_URL": "https://example.org",
            "GITHUB_REPOSITORY": "a/b",
            "GITHUB_RUN_ID": "7",
            "NUMBER": "5",
            "PATH": stand_in(tmp_path, "gh", gh),
        }
        text = script("gate", "comment", "Write the comment, or the one that is there anew")
        return run(text, tmp_path, **variables)

    return write


@pytest.mark.parametrize("there", ["", "71\n72\n"])
def test_the_comment_is_written_once_and_then_changed(tmp_path, comment, there):
    (tmp_path / "gate" / "gate.md").write_text("`$(touch ran)` " + "ä" * 80_000)
    done = comment(there)
    assert (done.returncode, done.stdout) == (0, "")
    text = (tmp_path / "comment.md").read_text(errors="replace")
    link = "https://example.org/a/b/actions/runs/7"
    first = f"<!-- gate -->\nThe GPU runner says ([the run, with all numbers]({link})):\n\n"
    assert text.startswith(f"{first}> `$(touch ran)` ä")
    assert len(text) < 65_536
    assert not (tmp_path / "ran").exists()
    last = (tmp_path / "calls").read_text().splitlines()[-1]
    change = "api --silent -X PATCH repos/a/b/issues/comments/71 -F body=@comment.md"
    new = "api --silent repos/a/b/issues/5/comments -F body=@comment.md"
    assert last == (change if there else new)


HOSTILE = """/merge
@everyone <!-- unseen \r\r/approve <img src=https://example.net/x.png>
[click](https://example.net) \\[x][y] ![](//example.net/x) WWW.example.net \x1b[31m\x00
</blockquote><script>alert(1)</script><details open>
"""


def test_nothing_in_a_comment_does_anything(tmp_path, comment):
    """The gate's own Markdown stays as it is; what else is in a report is text."""
    ours = answer.CannotSay("torch | <b> [x] `c`").markdown()
    ours += "\n".join(
        ["", *folded("Every series", ["| a | b |", "| --- | ---: |", "| 1 | 2 |"]), ""]
    )
    (tmp_path / "gate" / "gate.md").write_text(ours + HOSTILE, newline="")
    assert comment().returncode == 0
    _, _, _, *quoted = (tmp_path / "comment.md").read_text().split("\n")
    assert quoted.pop() == ""
    assert all(line.startswith("> ") for line in quoted)
    lines = [line.removeprefix("> ") for line in quoted]
    assert lines[: ours.count("\n")] == ours.replace("\\[", "&#91;").splitlines()
    said = "\n".join(lines[ours.count("\n") :])
    assert said.count("\n") == HOSTILE.count("\n") - 1
    assert not re.search(r"@|<|\[|://|www\.|[\x00-\x09\x0b-\x1f\x7f]", said, re.IGNORECASE), said
    html = MarkdownIt("commonmark").enable("table").render("\n".join(quoted))
    assert not re.search("<(a|img|script|!--)", html)
    assert html.count("<blockquote>") == html.count("</blockquote>") == html.count("<table>") == 1


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "missing"])
def test_a_report_that_is_no_plain_file_is_not_read(tmp_path, comment, kind):
    """A link to /proc/self/environ, say, would publish the token."""
    report = tmp_path / "gate" / "gate.md"
    (tmp_path / "token").write_text("hidden")
    make = {
        "link": lambda: report.symlink_to(tmp_path / "token"),
        "folder": report.mkdir,
        "pipe": lambda: os.mkfifo(report),
        "missing": lambda: None,
    }
    make[kind]()
    assert comment().returncode
    assert not (tmp_path / "comment.md").exists()
    assert not (tmp_path / "calls").exists()


@pytest.mark.parametrize(("exits", "goes_on"), [(0, True), (2, True), (1, False), (130, False)])
def test_only_what_was_measured_is_collected(tmp_path, exits, goes_on):
    path = stand_in(tmp_path, "python3", f"exit {exits}\n")
    done = run(script("nightly", "measure", "Measure"), tmp_path, PATH=path)
    assert done.returncode == (0 if goes_on else exits)
    assert (tmp_path / "GITHUB_OUTPUT").read_text() == f"code={exits}\n"
    jobs = read("nightly")["jobs"]
    assert jobs["look"]["needs"] == "measure"  # and so not run after its failure
    assert jobs["record"]["needs"] == ["measure", "look"]
    assert jobs["publish"]["needs"] == ["measure", "look", "record"]
    assert not any("if" in jobs[name] for name in ("look", "record", "publish"))
    assert jobs["publish"]["steps"][-1]["if"] == "needs.measure.outputs.code == '2'"
    assert run(jobs["publish"]["steps"][-1]["run"], tmp_path).returncode


def test_results_are_pushed_and_nothing_else_is(project, tmp_path):
    origin, hosted, temp = tmp_path / "origin.git", tmp_path / "hosted", tmp_path / "temp"
    project.git("clone", "-q", "--bare", ".", str(origin))
    commit = project.git("rev-parse", "HEAD")
    results = project.path / "results"
    derived.result(results, "vm", commit, 1, facts={"driver": "1"})
    (results / "vm" / "c.unfinished.jsonl").write_text("{}\n")
    (project.path / "README.md").unlink()
    assert not run(script("nightly", "measure", "Collect what is new"), project.path).returncode
    handed = project.path / "measured" / "results"
    assert sorted(path.name for path in handed.rglob("*")) == [
        *(f"{commit[:8]}-existing-py3.12.{end}" for end in ("json", "noise.jsonl")),
        *(f"{commit[:8]}-existing-py3.12.provenance.jsonl", "machine.json", "vm"),
    ]
    shutil.copytree(handed, temp / "measured")
    project.git("clone", "-q", str(origin), str(hosted))
    variables = {"RUNNER_TEMP": str(temp), "GITHUB_REF": "refs/heads/main", "GITHUB_SHA": commit}
    path = stand_in(tmp_path, "python3", f'exec {sys.executable} "$@"\n')
    record = script("nightly", "record", "Commit and push")
    (temp / "measured" / "README.md").write_text("ours now")  # a runner that means harm
    done = run(record, hosted, PATH=path, **variables)
    assert done.returncode == 1
    assert done.stdout == "Refused: 'README.md' is no machine's folder\n"
    assert project.git("-C", str(origin), "rev-parse", "main") == commit
    (temp / "measured" / "README.md").unlink()
    done = run(record, hosted, PATH=path, **variables)
    assert done.returncode == 0, done.stdout
    changed = project.git("-C", str(origin), "show", "--format=%an: %s", "--name-status", "main")
    assert changed.startswith("github-actions[bot]: Results of 20")
    assert changed.count("A\tresults/vm/") == len(changed.splitlines()) - 2 == 4


def test_a_site_is_made_of_what_can_be_read(project, tmp_path):
    """The reading is tried in test_hand_over.py: here it says no, or yes."""
    (project.path / ".venv" / "bin").mkdir(parents=True)
    asv = project.path / ".venv" / "bin" / "asv"
    asv.write_text('#!/bin/bash\necho "asv $@" >> words\n')
    asv.chmod(0o755)
    look = script("nightly", "look", "Read them, and make the site")
    variables = {"RUNNER_TEMP": "temp", "GITHUB_SHA": "abc"}
    for code, published in ((1, ""), (0, "asv publish\n")):
        (project.path / "words").unlink(missing_ok=True)
        path = stand_in(tmp_path, "python3", f'echo "$@" >> words\nexit {code}\n')
        assert run(look, project.path, PATH=path, **variables).returncode == code
        said = (project.path / "words").read_text()
        assert said == f"scripts/hand_over.py temp/measured abc --read\n{published}"


def test_the_list_of_the_benchmarks_is_that_of_the_benchmarks(project):
    """A night does not hand it over; who changes them commits it: asv run -b just-discover."""
    assert project.run("--bench", "just-discover").returncode == 0
    names = "name", "version", "type", "unit", "param_names", "params"
    found, committed = (
        json.loads((folder / "results" / "benchmarks.json").read_text())
        for folder in (project.path, ROOT)
    )
    assert found.pop("version") == committed.pop("version")
    found, committed = (
        {name: [one[key] for key in names] for name, one in all_.items()}
        for all_ in (found, committed)
    )
    assert found == committed
