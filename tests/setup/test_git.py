"""git's answers, which a user's settings do not reshape, and clones that lack files."""

import os
import subprocess

import pytest

from scripts.change_points import what_changed
from scripts.setup import environment, git, stack

# What people have in their configuration; each reshapes some command's output.
SETTINGS = {
    "blame.coloring": "repeatedLines",
    "branch.sort": "-committerdate",
    "color.ui": "always",
    "color.status": "always",
    "column.ui": "always",
    "core.abbrev": "4",
    "core.pager": "sed s/^/paged:/",
    "core.quotePath": "true",
    "diff.external": "false",
    "diff.mnemonicPrefix": "true",
    "diff.noprefix": "true",
    "diff.relative": "true",
    "grep.fullName": "true",
    "grep.lineNumber": "true",
    "grep.patternType": "fixed",
    "log.abbrevCommit": "true",
    "log.date": "relative",
    "log.decorate": "full",
    "log.showRoot": "false",
    "log.showSignature": "true",
    "status.branch": "true",
    "status.relativePaths": "true",
    "status.renames": "copies",
    "status.short": "true",
    "status.showStash": "true",
    "status.showUntrackedFiles": "no",
    "status.submoduleSummary": "true",
    "tag.sort": "-version:refname",
}
NAME = "requirements/é\tü.txt"  # which git quotes where it is not told otherwise
PINS = "numpy==1.0\ntorch==2.0+cu126 \\\n    --hash=sha256:00\n"


class Repository:
    def __init__(self, path):
        self.path = path
        path.mkdir()
        self.git("init", "-q", "-b", "main")
        (path / "requirements").mkdir()
        for name in NAME, "requirements/host.txt", "requirements/cu12.txt":
            (path / name).write_text(PINS)
        self.commit()

    def git(self, *words):
        words = "-c", "user.name=test", "-c", "user.email=test@test", *words
        done = subprocess.run(["git", *words], cwd=self.path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-qm", "next")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "repository")


def answers(repository, monkeypatch):
    """What is asked of git about a work tree that has a new, a changed and a renamed file."""
    path = repository.path
    monkeypatch.setattr(stack, "chosen", lambda: "cu12")
    monkeypatch.setattr(what_changed, "git", Elsewhere(path))
    what_changed.pins.cache_clear()
    there = {"numpy": "1.0", "torch": "2.0+cu128"}
    monkeypatch.chdir(path / "requirements")
    return {
        "files": git.files("HEAD", "requirements", cwd=path),
        "text": git.text("HEAD", NAME, cwd=path),
        "changed": sorted(git.changed("requirements", cwd=path)),
        "differences": list(stack.differences(there, "3.12.0", "HEAD")),
        "what changed": what_changed.pins(repository.git("rev-parse", "HEAD")),
    }


class Elsewhere:
    """scripts/setup/git.py, asked of the repository in `path`."""

    CannotSay = git.CannotSay

    def __init__(self, path):
        self.path = path

    def text(self, commit, name):
        return git.text(commit, name, cwd=self.path)


def test_a_users_settings_change_no_answer(repository, monkeypatch):
    (repository.path / "requirements" / "new ü.txt").write_text("new")
    (repository.path / NAME).write_text("changed")
    repository.git("mv", "requirements/host.txt", "requirements/renamed.txt")
    before = answers(repository, monkeypatch)
    assert before["files"] == sorted([NAME, "requirements/host.txt", "requirements/cu12.txt"])
    assert before["text"] == PINS
    assert {NAME, "requirements/new ü.txt", "requirements/renamed.txt"} <= set(before["changed"])
    said = "torch 2.0+cu128 is installed; this commit's cu12.txt pins 2.0+cu126"
    assert before["differences"] == [said]
    assert before["what changed"]["cu12: torch"] == "2.0+cu126"
    for name, value in SETTINGS.items():
        repository.git("config", name, value)
    assert answers(repository, monkeypatch) == before


def test_what_git_cannot_say_is_not_nothing(repository, tmp_path, monkeypatch):
    for call in (
        lambda: git.files("0" * 40, "requirements", cwd=repository.path),
        lambda: git.changed("requirements", cwd=tmp_path),
        lambda: git.text("HEAD", "README.md", cwd=tmp_path),
    ):
        with pytest.raises(git.CannotSay, match=r"^(error|fatal): [^\n]+$"):
            call()
    assert git.text("0" * 40, "requirements/host.txt", cwd=repository.path) is None
    assert git.text("HEAD", "none", cwd=repository.path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(git.CannotSay, match="There is no git here"):
        git.ask("status")


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("error: it broke\nHEAD is now at 12 x\n", "error: it broke"),
        ("fatal: one\nerror: another\n  \nhint: read\n", "error: another"),
        ("ERROR: No matching distribution\n", "No matching distribution"),
        ("something\nelse\n", "else"),
        ("\n", ""),
    ],
)
def test_the_line_that_says_why(told, why):
    assert git.reason(told) == why


def test_gits_own_list_of_local_variables_is_dropped(monkeypatch):
    """Of those that a repository's settings are handed on by, ours are added to what there is."""
    listed = subprocess.run(["git", "rev-parse", "--local-env-vars"], stdout=subprocess.PIPE)
    local = set(listed.stdout.decode().split())
    settings = {"GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"}
    assert "GIT_DIR" in local
    assert local - settings <= {f"GIT_{name}" for name in environment.GIT_LOCAL.split()}


@pytest.fixture
def partial(repository, tmp_path):
    """A clone without the files of its commits, of a repository with two of them."""
    (repository.path / "requirements" / "host.txt").write_text("numpy==2.0\n")
    repository.commit()
    for name in "allowFilter", "allowAnySHA1InWant":
        repository.git("config", f"uploadpack.{name}", "true")
    clone = Repository.__new__(Repository)
    clone.path = tmp_path / "clone"
    words = "--filter=blob:none", "--no-checkout", f"file://{repository.path}"
    repository.git("clone", "-q", *words, str(clone.path))
    return clone


def lacking(clone):
    listed = clone.git("rev-list", "--objects", "--all", "--missing=print")
    return [line for line in listed.splitlines() if line.startswith("?")]


def test_what_a_clone_without_files_lacks_is_fetched(partial, repository):
    assert len(lacking(partial)) == 2
    git.bring("HEAD~1", partial.path)
    assert len(lacking(partial)) == 1
    git.bring("HEAD", partial.path)
    assert not lacking(partial)
    os.rename(repository.path, repository.path.with_name("gone"))
    git.bring("HEAD", partial.path)  # nothing is missing now


def test_a_whole_clone_asks_nobody_for_its_files(repository):
    repository.git("remote", "add", "origin", "file:///nowhere")
    git.bring("HEAD", repository.path)


def test_files_that_cannot_be_fetched_are_said_to_be_missing(partial, repository):
    os.rename(repository.path, repository.path.with_name("gone"))
    with pytest.raises(git.CannotSay, match=r"^fatal: [^\n]+"):
        git.bring("HEAD", partial.path)
