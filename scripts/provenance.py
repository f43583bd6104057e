"""Where results come from: the facts beside each, shown, and the difference between two.

python3 scripts/provenance.py MACHINE            # what it measured last
python3 scripts/provenance.py MACHINE:COMMIT
python3 scripts/provenance.py MACHINE:COMMIT MACHINE:COMMIT

Beside a results file is one with a line of JSON for each run that added to it: when it started and
ended (milliseconds since 1970), how many processes it measured, and its facts
(beside_results/facts.py). A run that was interrupted or killed has neither an end nor a number: it
is the run after it that counts what it had measured.
"""

import argparse
import json
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

if __name__ == "__main__":
    import dotvenv

    dotvenv.enter_for_tables()

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

RESULTS = Path(__file__).resolve().parent.parent / "results"
SUFFIX = ".provenance.jsonl"
TIMES = "started", "ended"
RUN = *TIMES, "processes", "facts"


def path_beside(results_file):
    return Path(results_file).with_suffix(SUFFIX)


def load(path):
    """The runs in the file at `path`, the oldest first; none if there is no file.

    ValueError if it is broken.
    """
    path = Path(path)
    runs = []
    for line in path.read_text(errors="replace").splitlines() if path.is_file() else []:
        try:
            run = json.loads(line)
            runs.append({key: run[key] for key in RUN})
            if not is_run(run):
                raise ValueError
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"Error parsing the provenance '{path}': {line[:40]!r}") from None
    return sorted(runs, key=lambda run: run["started"])


def is_run(run):
    """Whether what `run` says of RUN can have been recorded."""
    started, *later, found = (run[key] for key in RUN)
    whole = isinstance(started, int) and isinstance(found, dict)
    return whole and all(one is None or isinstance(one, int) for one in later)


@contextmanager
def replacing(path, runs):
    """Write what `load` reads: it is on the disk before the block, and in its place after it."""
    new = Path(f"{path}.new")
    lines = {run["started"]: json.dumps(run) + "\n" for run in runs}  # a run is there once
    try:
        new.write_text("".join(lines[started] for started in sorted(lines)))
        yield
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def difference(older, newer):
    """{name: (before, after)} of the facts that differ; None is a fact that is not there."""
    names = [*older, *(name for name in newer if name not in older)]
    pairs = {name: (older.get(name), newer.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def find(name, results=RESULTS):
    """What a result is, 'MACHINE:COMMIT', and the runs behind it.

    `name` is one such, or 'MACHINE' for what was measured there last.
    """
    machine, _, commit = name.partition(":")
    files = sorted(results.glob(f"*/*{SUFFIX}"))
    named = {path: commit_of(path) for path in files if path.parent.name == machine}
    named = {p: c for p, c in named.items() if c.startswith(commit.lower()[: len(c)])}
    if commit and len(set(named.values())) > 1:
        which = ", ".join(sorted(one[:8] for one in set(named.values())))
        sys.exit(f"Several commits {commit!r} on {machine}; there are: {which}")
    there = [(f"{machine}:{one[:8]}", load(path)) for path, one in named.items()]
    there = [found for found in there if found[1]]
    if not there:
        known = sorted({f"{path.parent.name}:{path.name[:8]}" for path in files})
        sys.exit(f"No provenance of {name!r}; there is: {', '.join(known) or 'none'}")
    return max(there, key=lambda found: found[1][-1]["started"])


def commit_of(path):
    """The commit that a file at `path` is beside a result of; its first digits, if that is gone."""
    result = path.with_name(path.name.removesuffix(SUFFIX) + ".json")
    try:
        commit = json.loads(result.read_text())["commit_hash"]
    except (OSError, ValueError, KeyError, TypeError):
        commit = None
    return commit if commit and isinstance(commit, str) else path.name.partition("-")[0]


def text(value):
    if value is None:
        return "-"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def show(name, runs):
    """Print the facts of the last of `runs`, and what was otherwise in the runs before it."""
    print(name)
    table = Table("fact", "value", box=box.SIMPLE_HEAD)
    for fact, value in runs[-1]["facts"].items():
        others = {text(run["facts"].get(fact)): None for run in runs[:-1]}
        others.pop(text(value), None)
        before = f" (in another run: {'; '.join(others)})" if others else ""
        table.add_row(Text(fact), Text(text(value) + before))
    Console().print(table)
    for run in runs:
        times = (run[key] and datetime.fromtimestamp(run[key] / 1000, UTC) for key in TIMES)
        start, end = (time and f"{time:%Y-%m-%d %H:%M:%S}" for time in times)
        did_not = "did not end; what it measured is among the next one's"
        done = f"to {end} UTC: {run['processes']} processes"
        print(f"{start} {done if end else did_not}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="+", metavar="MACHINE[:COMMIT]", help="one, or two")
    names = parser.parse_args().results
    if len(names) > 2:
        parser.error("one result, or two to compare")
    try:
        found = [find(name) for name in names]
    except ValueError as error:
        sys.exit(str(error))
    if len(found) == 1:
        return show(*found[0])
    changed = difference(*(runs[-1]["facts"] for _, runs in found))
    if not changed:
        print("All recorded facts are the same")
        return
    table = Table("fact", box=box.SIMPLE_HEAD)
    for name, _ in found:
        table.add_column(Text(name))
    for fact, values in changed.items():
        table.add_row(Text(fact), *(Text(text(value)) for value in values))
    Console().print(table)


if __name__ == "__main__":
    main()
    print(end="", flush=True)  # here it is one line if it fails
