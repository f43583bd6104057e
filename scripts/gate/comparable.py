"""Which commits can be compared: those that are there, with benchmarks that mean the same."""

import ast
from pathlib import Path

from asv.util import UserError

from scripts.setup import git


def commit_hash(name: str) -> str:
    """The commit that `name` names; UserError if there is none."""
    words = "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
    try:
        return git.ask(*words, cwd=".").strip()
    except git.CannotSay as error:
        shallow = ", and this clone is shallow: git fetch --unshallow"
        there_is = f"there is no commit {name!r}{shallow * Path('.git', 'shallow').exists()}"
        raise UserError(str(error) or there_is) from None


def versions(commit: str) -> dict[str, str]:
    """{class: version} of the benchmarks as they are in `commit`; UserError if there are none."""
    found: dict[str, str] = {}
    try:
        for path in git.files(commit, "benchmarks", cwd="."):
            if path.endswith(".py"):
                found |= versions_in(git.text(commit, path, cwd=".") or "")
    except (git.CannotSay, SyntaxError, ValueError) as error:
        raise UserError(f"The benchmarks of {commit[:8]} cannot be read: {error}") from None
    if not found:
        raise UserError(f"{commit[:8]} has no benchmarks with a version: nothing to go by")
    return found


def versions_in(text: str) -> dict[str, str]:
    """{class: version} of a module's `text`."""
    return {
        owner.name: ast.unparse(line.value).strip("'\"")
        for owner in ast.parse(text).body
        if isinstance(owner, ast.ClassDef)
        for line in owner.body
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "version"
    }


def check_commits(base: str, head: str) -> None:
    """UserError if their comparison means nothing.

    Both are measured with the work tree's benchmarks: of two versions, one would have the other's.
    """
    if base == head:
        raise UserError(f"BASE and HEAD are both {base[:8]}; calibrate measures one with itself")
    one, other = versions(base), versions(head)
    if not one.keys() & other.keys():
        raise UserError(f"{base[:8]} and {head[:8]} have no benchmark in common")
    for name in one.keys() & other.keys():
        if one[name] != other[name]:
            raise UserError(
                f"{name} is version {one[name]} in {base[:8]} and {other[name]} in {head[:8]}: "
                "their numbers mean different things"
            )
