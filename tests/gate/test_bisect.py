"""gate.py bisect, on real commits: what git is told of each, and what is said of the one found.

What the gate's comparisons come to is stated here, but for one that is measured (it is slow).
"""

import argparse
import functools
import json
import subprocess
import tempfile
from pathlib import Path

import pytest
from asv.util import UserError

from scripts.gate import bisecting, bump, running
from tests.gate.test_gate import GATE, OLDER, SMALL, one_line
from tests.gate.test_verdict import compared, of, read, slowed

BROKEN = "numpy==1; python_version <"
PINS = ["2.0", "2.1", "2.1  # the same", "2.2", "1.9", "1.8", "1.7", "1.6"]  # slower from 1.9 on


@functools.cache
def outcome(slow):
    return compared(slowed(read(), 1.4, of("cupy", "pinned")) if slow else read())


@pytest.fixture
def commits(project, monkeypatch):
    """A commit for each of PINS, and one at the end that changes none; here is their project."""
    monkeypatch.chdir(project.path)
    monkeypatch.setenv("STACK", "host")
    (project.path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(project.path / "tmp"))
    made = []
    for pin in PINS:
        Path("requirements", "host.txt").write_text(f"numpy=={pin}\n")
        project.git("commit", "-qam", f"NumPy {pin}")
        made.append(project.git("rev-parse", "HEAD"))
    project.git("commit", "-q", "--allow-empty", "-m", "something else")
    return [*made, project.git("rev-parse", "HEAD")]


@pytest.fixture
def compare(commits, monkeypatch):
    """Comparisons as they are stated: `asked` has (head, patterns) of each, `odd` what is not so
    of a commit. It is read what the stack of a commit has, so that a slow one is slow."""

    def stated(options):
        stated.asked.append((options.head, options.bench))
        if trouble := stated.odd.get(options.head):
            raise trouble
        there = bump.between([options.base, options.head], "3.11.1")
        return outcome(there.changed["numpy"][1].startswith("1."))

    stated.asked, stated.odd = [], {}
    monkeypatch.setattr(running, "compare", stated)
    return stated


def bisect(good, bad, bench=None):
    return bisecting.bisect(argparse.Namespace(good=good, bad=bad, bench=bench, budget=60))


def state(project):
    """All that a user has, but for results/ and .asv/."""
    refs = project.git("for-each-ref"), project.git("worktree", "list"), project.git("reflog")
    return refs, project.git("status", "--short", "--", ".", ":!results", ":!tmp")


def test_the_commit_is_found_and_nothing_is_touched(project, commits, compare):
    before = state(project)
    came = bisect(commits[0], "main")
    assert came.code == 1
    text = came.text()
    assert f" and BAD {commits[-1][:8]}: {commits[4][:8]} of 20" in text
    assert (
        ", NumPy 1.9\n  Pins that differ (host.txt): numpy 2.2 -> 1.9\n  cupy, pinned: +4" in text
    )
    assert came.markdown().startswith("**First slower between GOOD ")
    facts = json.loads(came.json())
    assert (facts["commits"], facts["pins"]) == ([commits[4]], {"numpy": ["2.2", "1.9"]})
    assert facts["slower"] == came.slower

    # BAD first, with all points, then by halves what became slower there; no pins twice.
    (first, all_), *others = compare.asked
    assert (first, all_) == (commits[-1], None)
    assert 2 <= len(others) <= 3
    assert {head for head, _ in others} <= {*commits[1:2], *commits[3:7]}
    (patterns,) = {tuple(patterns) for _, patterns in others}
    assert len(patterns) == 12
    assert all("'cupy', 'pinned'" in pattern.replace("\\", "") for pattern in patterns)
    assert patterns[0].startswith(r"^host_to_device\.HostToDevice\.time_existing_array\('cupy'")
    assert state(project) == before
    assert not [*Path("tmp").iterdir(), *Path(".asv", "gate").glob("bisect*")]


def test_what_an_interrupt_leaves_is_gone_on_with(project, commits, compare):
    middle = next(iter(compare_of(commits, compare)))
    compare.asked.clear()
    for trouble in KeyboardInterrupt(), UserError("Interrupted."):
        compare.odd = {middle: trouble}
        with pytest.raises(type(trouble)):
            bisect(commits[0], commits[-1])
        assert not [*Path("tmp").iterdir()]
    compare.odd = {}
    assert bisect(commits[0], commits[-1]).commits == [commits[4]]
    heads = [head for head, _ in compare.asked]
    assert heads[:3] == [commits[-1], middle, middle]
    assert heads[3] == middle
    assert heads.count(commits[-1]) == 1

    # Not where the driver is another one, or the file is half of one.
    compare.odd = {middle: KeyboardInterrupt()}
    for harm in lambda text: text.replace('"asked": ["', '"asked": ["x'), lambda text: text[:-9]:
        with pytest.raises(KeyboardInterrupt):
            bisect(commits[0], commits[-1])
        (path,) = Path(".asv", "gate").glob("bisect*")
        path.write_text(harm(path.read_text()))
        compare.asked.clear()
    with pytest.raises(KeyboardInterrupt):
        bisect(commits[0], commits[-1])
    assert [head for head, _ in compare.asked] == [commits[-1], middle]


def compare_of(commits, compare):
    """The commits that a bisection of them measures after BAD."""
    bisect(commits[0], commits[-1])
    return [head for head, _ in compare.asked[1:]]


def test_commits_that_cannot_be_measured_are_skipped(commits, compare):
    compare.odd = {commits[number]: UserError("too noisy") for number in (3, 4)}
    came = bisect(commits[0], commits[-1])
    assert came.code == 2
    names = f"{commits[5][:8]}, {commits[4][:8]} and {commits[3][:8]}"
    assert came.headline == f"Cannot say which of 3 commits made it slower: {names}"
    assert "\n  Pins that differ (host.txt): numpy 2.1 -> 1.8\n" in came.text()
    compare.odd, compare.asked = {}, []
    assert bisect(commits[0], commits[-1]).commits == [commits[4]]
    assert {head for head, _ in compare.asked} <= {commits[3], commits[4]}


def test_pins_that_are_broken_are_skipped_too(project, commits, compare):
    project.git("checkout", "-q", "-b", "other", commits[0])
    for text in BROKEN, "numpy==1.9":
        Path("requirements", "host.txt").write_text(f"{text}\n")
        project.git("commit", "-qam", text)
    compare.odd = {project.git("rev-parse", "HEAD~1"): UserError("requirements/host.txt is broken")}
    assert bisect(commits[0], "HEAD").code == 2


def test_between_commits_of_which_none_is_slower_there_is_none(commits, compare):
    came = bisect(commits[0], commits[3])
    assert (came.code, len(compare.asked)) == (0, 1)
    assert came.text().startswith("Nothing became slower between GOOD ")
    assert json.loads(came.json())["commits"] == []


def test_bad_input_is_one_line(project, commits, compare):
    for good, bad, why in (
        (
            commits[2],
            commits[0],
            f"GOOD, {commits[2][:8]}, is no ancestor of BAD, {commits[0][:8]}",
        ),
        (commits[1], commits[2], "GOOD and BAD have the same pins in requirements/host.txt"),
        ("nope", "HEAD", "there is no commit 'nope'"),
        ("HEAD", "HEAD", "are both"),
    ):
        with pytest.raises(UserError, match=why):
            bisect(good, bad)
    compare.odd = {commits[-1]: UserError("no GPU")}
    with pytest.raises(UserError, match="no GPU"):
        bisect(commits[0], commits[-1])
    done = project.call(*GATE, "bisect", commits[2], commits[0], "--json", "gate.json")
    one_line(done, "is no ancestor of BAD")
    assert json.loads(Path("gate.json").read_text())["code"] == 2


@pytest.mark.slow
@pytest.mark.skipif(not OLDER, reason="this Python has no NumPy that is so much slower")
def test_it_is_found_for_real(project):
    base = project.git("rev-parse", "HEAD")
    path = project.path / "requirements" / "host.txt"
    newest = path.read_text()
    for text in (
        f"{newest}# the same",
        f"{newest}six==1.16.0",
        *(f"numpy=={OLDER}\nsix=={version}" for version in ("1.16.0", "1.17.0", "1.15.0")),
    ):
        path.write_text(f"{text}\n")
        project.git("commit", "-qam", text.splitlines()[-1])
    bad = project.git("rev-parse", "HEAD~2")
    done = project.call(*GATE, "bisect", base, "main", *SMALL, "--markdown", "gate.md")
    assert done.returncode == 1, done.stdout
    assert f": {bad[:8]} of 20" in done.stdout
    assert "  Pins that differ (host.txt): numpy 2" in done.stdout
    assert f"-> {OLDER}\n  copy, pageable: " in done.stdout
    assert (project.path / "gate.md").read_text().startswith("**First slower")
    assert subprocess.run(["git", "status", "--short"], cwd=project.path, capture_output=True)
