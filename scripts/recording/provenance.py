"""Where results come from: the file beside each, with what was true while it was measured.

A line of JSON for each run that added to a result: when it started and ended (milliseconds since
1970), how many processes it measured, and its facts (facts.py). A run that was interrupted or
killed has neither an end nor a number: it is the run after it that counts what it had measured.
"""

import json
from contextlib import contextmanager
from pathlib import Path

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


def text(value):
    if value is None:
        return "-"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
