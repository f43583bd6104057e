"""Where a result comes from, shown: the facts beside it, and the difference between two."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asv.util import UserError
from rich import box
from rich.table import Table
from rich.text import Text

from scripts.reading import asv_files
from scripts.reading.chosen import unabbreviated
from scripts.reading.points import RESULTS
from scripts.recording.provenance import SUFFIX, TIMES, difference, load, text
from scripts.tables.printed import console
from scripts.words.shown import plain, say


def find(name: str, results: Path = RESULTS) -> tuple[str, list[dict[str, Any]]]:
    """What a result is, 'MACHINE:COMMIT', and the runs behind it.

    `name` is one such, which may be abbreviated, or 'MACHINE' for what was measured there last.
    """
    machine, _, commit = name.partition(":")
    files = sorted(results.glob(f"*/*{SUFFIX}"))
    machine = unabbreviated(machine, sorted({path.parent.name for path in files}))
    named = {path: commit_of(path) for path in files if path.parent.name == machine}
    named = {p: c for p, c in named.items() if c.startswith(commit.lower()[: len(c)])}
    if commit and len(set(named.values())) > 1:
        which = ", ".join(sorted(one[:8] for one in set(named.values())))
        sys.exit(plain(f"Several commits {commit!r} on {machine}; there are: {which}"))
    there = [(f"{machine}:{one[:8]}", load(path)) for path, one in named.items()]
    there = [found for found in there if found[1]]
    if not there:
        known = sorted({f"{path.parent.name}:{path.name[:8]}" for path in files})
        sys.exit(plain(f"No provenance of {name!r}; there is: {', '.join(known) or 'none'}"))
    return max(there, key=lambda found: found[1][-1]["started"])


def commit_of(path: Path) -> str:
    """The commit that a file at `path` is beside a result of; its first digits, if that is gone."""
    result = path.with_name(path.name.removesuffix(SUFFIX) + ".json")
    try:
        commit = asv_files.parsed(result).get("commit_hash")
    except (OSError, UserError):
        commit = None
    return commit if commit and isinstance(commit, str) else path.name.partition("-")[0]


def show(name: str, runs: Sequence[Mapping[str, Any]]) -> None:
    """Print the facts of the last of `runs`, and what was otherwise in the runs before it."""
    say(name)
    table = Table("fact", "value", box=box.SIMPLE_HEAD)
    for fact, value in runs[-1]["facts"].items():
        others = {text(run["facts"].get(fact)): None for run in runs[:-1]}
        others.pop(text(value), None)
        before = f" (in another run: {'; '.join(others)})" if others else ""
        table.add_row(Text(plain(fact)), Text(plain(text(value) + before)))
    console().print(table)
    for run in runs:
        times = (run[key] and datetime.fromtimestamp(run[key] / 1000, UTC) for key in TIMES)
        start, end = (time and f"{time:%Y-%m-%d %H:%M:%S}" for time in times)
        did_not = "did not end; what it measured is among the next one's"
        done = f"to {end} UTC: {run['processes']} processes"
        print(f"{start} {done if end else did_not}")


def tell(names: Sequence[str]) -> None:
    """Print the provenance of the result that `names` has, or what differs between its two.

    Exits with one line if there is no such result.
    """
    try:
        found = [find(name) for name in names]
    except ValueError as error:
        sys.exit(plain(str(error)))
    if len(found) == 1:
        return show(*found[0])
    changed = difference(*(runs[-1]["facts"] for _, runs in found))
    if not changed:
        print("All recorded facts are the same")
        return
    table = Table("fact", box=box.SIMPLE_HEAD)
    for name, _ in found:
        table.add_column(Text(plain(name)))
    for fact, values in changed.items():
        table.add_row(Text(plain(fact)), *(Text(plain(text(value))) for value in values))
    console().print(table)
