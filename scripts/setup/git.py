"""Questions to git, asked of its plumbing: a user's settings never reshape the answers."""

import os
import re
import subprocess
from pathlib import Path

from scripts.setup.environment import ROOT


class CannotSay(Exception):
    """git is not there, or failed; the text is its reason, in one line, "" if it gave none."""


def ask(*words: str, cwd: Path | str = ROOT, stdin: str = "") -> str:
    """What `git WORDS` prints. CannotSay if it fails."""
    command = ["git", "--no-optional-locks", "--no-pager", *words]
    english = {**os.environ, "LC_ALL": "C"}  # the reasons are picked by their first word
    told = stdin.encode()
    try:
        done = subprocess.run(command, input=told, env=english, cwd=cwd, capture_output=True)
    except OSError as error:
        raise CannotSay(f"There is no git here: {error}") from None
    if done.returncode:
        raise CannotSay(reason(done.stderr.decode(errors="replace")))
    return done.stdout.decode(errors="replace")


def reason(told: str) -> str:
    """Of what a command told before it failed, the line that says why; "" if it told nothing."""
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error: ", "fatal: "))]
    return (errors or lines or [""])[-1].removeprefix("ERROR: ")


def files(commit: str, *places: str, cwd: Path | str = ROOT) -> list[str]:
    """The paths of the commit's files below `places`."""
    words = "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, "--", *places
    listed = ask(*words, cwd=cwd)
    return [path for path in listed.split("\0") if path]


def text(commit: str, path: str, cwd: Path | str = ROOT) -> str | None:
    """A file as it is in the commit; None if there is no such commit or file."""
    answer = ask("cat-file", "--batch", cwd=cwd, stdin=f"{commit}:{path}\n")
    head, _, content = answer.partition("\n")
    return content[:-1] if re.fullmatch(r"[0-9a-f]{40,} blob \d+", head) else None


def changed(*places: str, cwd: Path | str = ROOT) -> list[str]:
    """The work tree's files below `places` that differ from HEAD, or are in no commit."""
    options = "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"
    status = ask("status", *options, "--ignore-submodules=none", "--", *places, cwd=cwd)
    return [line[3:] for line in status.split("\0") if line]


def bring(commit: str, cwd: Path | str = ROOT) -> None:
    """Fetch what this clone lacks of the commit's files, if it was made with --filter.

    asv checks commits out in clones of this one, and those know no place to fetch from.
    """
    promisors = [
        key.split(".", 1)[1].rpartition(".")[0]
        for key in ask("config", "-z", "--name-only", "--list", cwd=cwd).split("\0")
        if key.startswith("remote.") and key.endswith(".promisor")
    ]
    before = None
    while promisors:
        words = "rev-list", "--objects", "--no-walk", "--missing=print", commit
        lines = ask(*words, cwd=cwd).splitlines()
        missing = [line[1:] for line in lines if line.startswith("?")]
        if not missing:
            return
        if missing == before:
            raise CannotSay(f"this clone lacks {len(missing)} files of {commit[:8]}")
        before = missing
        # As git does it (promisor-remote.c).
        fetch = ["-c", "fetch.negotiationAlgorithm=noop", "fetch", promisors[0], "--no-tags"]
        fetch += ["--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none"]
        ask(*fetch, "--stdin", cwd=cwd, stdin="\n".join(missing) + "\n")
