"""Where results come from: the file beside each, with what was true while it was measured.

A line of JSON for each run that added to a result: when it started and ended (milliseconds since
1970), how many processes it measured, and its facts (facts.py). A run that was interrupted or
killed has neither an end nor a number: it is the run after it that counts what it had measured.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from asv.results import get_filename

from scripts.recording import schema

SUFFIX = ".provenance.jsonl"
TIMES = "started", "ended"
RUN = *TIMES, "processes", "facts"


def path_beside(results_file: str | Path) -> Path:
    return Path(results_file).with_suffix(SUFFIX)


def load(path: str | Path) -> list[dict[str, Any]]:
    """The runs in the file at `path`, the oldest first; none if there is no file.

    ValueError if it is broken.
    """
    try:
        runs = schema.lines(Path(path), schema.Run)
    except ValueError as error:
        raise ValueError(f"Error parsing the provenance '{path}': {error}") from None
    runs = [{key: run[key] for key in RUN} for run in runs]
    return sorted(runs, key=lambda run: run["started"])


def beside(results: str | Path, left_out: list[str], *run: str) -> list[dict[str, Any]]:
    """What `load` has beside the result `run` (machine, commit, environment) in `results`; [] of a
    broken file, and a line in `left_out`."""
    path = path_beside(Path(results, get_filename(*run)))
    try:
        return load(path)
    except (ValueError, OSError):
        left_out.append(f"{run[0]}/{path.name}: its provenance file is broken")
        return []


@contextmanager
def replacing(path: str | Path, runs: Iterable[Mapping[str, Any]]) -> Iterator[None]:
    """Write what `load` reads: it is on the disk before the block, and in its place after it."""
    new = Path(f"{path}.new")
    lines = {run["started"]: json.dumps(run) + "\n" for run in runs}  # a run is there once
    try:
        new.write_text("".join(lines[started] for started in sorted(lines)))
        yield
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def difference(older: Mapping[str, Any], newer: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """{name: (before, after)} of the facts that differ; None is a fact that is not there."""
    pairs = {name: (older.get(name), newer.get(name)) for name in dict.fromkeys([*older, *newer])}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def text(value: Any) -> str:
    if value is None:
        return "-"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
