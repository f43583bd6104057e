"""What an unfinished run has measured, process by process, so that the next run goes on from there.

asv writes results only when a run is over. Until then every point that a process has measured is a
line of JSON in a file beside the results, which a finished run takes away again: its key (what was
measured, and the how-manieth process of its point it was) and all that asv and noise.py want of it.
A run's first line is its provenance (provenance.py).

A process measures more points than the one that asv asked for: the others wait here, too.
"""

import collections
import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from asv.util import is_na

from scripts.recording import provenance, schema

SUFFIX = ".unfinished.jsonl"


class Process(TypedDict):
    """What a process has of a point: asv's columns result, samples and number; a note a visit
    ("visit", "samples", "quiet", "sentinel") or why it is n/a ("skipped"); what it said if it
    failed."""

    columns: tuple[list[Any], list[Any], list[Any]]
    notes: list[dict[str, Any]]
    failed: NotRequired[str]


class Journal:
    """The journal of the results file `results_file`; a broken line was not written whole.

    Without a file, of a run that records nothing, it is in memory alone.
    """

    def __init__(self, results_file: Path | None = None):
        self.path = results_file and results_file.with_suffix(SUFFIX)
        self.kept: dict[str, Process] = {}
        self.used: set[str] = set()
        self.own: set[str] = set()  # what this run has measured
        self.count: collections.Counter[tuple] = collections.Counter()  # of each point in this run
        self.runs: list[dict] = []  # the provenance of those that did not finish, and of this one
        self.begun = False  # whether the provenance of this one is in the file
        text = self.path.read_text(errors="replace") if self.path and self.path.is_file() else ""
        for line in text.splitlines():
            with contextlib.suppress(ValueError, RecursionError):
                self.take(json.loads(line))  # which knows asv's NaN
        self.write()

    def take(self, entry: Any) -> None:
        """A line of the file; ValueError if it is none."""
        if isinstance(entry, dict) and "run" in entry:
            schema.check(entry, schema.RunBegan)
            self.runs.append({key: entry["run"][key] for key in provenance.RUN})
        else:
            schema.check(entry, schema.Measured)
            self.kept[entry["key"]] = entry["process"]

    def write(self) -> None:
        """Replace the file by what earlier runs kept and this one did not use; no file if that is
        nothing."""
        if not self.path:
            return
        gone = self.used | self.own
        rest = {key: process for key, process in self.kept.items() if key not in gone}
        if not rest:
            self.path.unlink(missing_ok=True)
            return
        new = Path(f"{self.path}.new")
        entries: list[dict[str, Any]] = [{"run": run} for run in self.runs if not run.get("ended")]
        entries += [{"key": key, "process": process} for key, process in rest.items()]
        new.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
        new.replace(self.path)

    def append(self, entries: list[dict[str, Any]]) -> None:
        """Onto the disk itself: the host may be taken away."""
        if not self.path or not entries:
            return
        with open(self.path, "a") as file:
            file.writelines(json.dumps(entry) + "\n" for entry in entries)
            file.flush()
            os.fsync(file.fileno())

    def processes(self) -> int:
        """How many processes measured what the file keeps."""
        if not self.path:
            return 0
        there = {key: one for key, one in self.kept.items() if measured(one)}
        visits = {note["visit"] for one in there.values() for note in one["notes"]}
        return len(visits) + sum(not one["notes"] for one in there.values())

    def begin(self, run: dict[str, Any]) -> None:
        """This run's provenance, `run`, as far as it is known at its start."""
        self.runs.append(run)

    def forget(self) -> None:
        """Leave out what unfinished runs have measured."""
        self.kept, self.runs = {}, []
        self.write()

    def next_process(self, *point: Any) -> tuple[int, Process | None]:
        """The number of the next process of `point`, and what is kept of it, if anything is."""
        number = self.count[point]
        self.count[point] += 1
        key = json.dumps([*point, number])
        self.used.add(key)
        return number, self.kept.get(key)

    def add(self, processes: Mapping[tuple, Process], number: int) -> None:
        """What a process has of each point, for the point's process of this number.

        What is n/a or failed is not for the next run, which tries it again.
        """
        found = {json.dumps([*point, number]): one for point, one in processes.items()}
        found = {key: one for key, one in found.items() if key not in self.kept}
        self.kept.update(found)
        self.own.update(found)
        entries = [{"key": key, "process": one} for key, one in found.items() if measured(one)]
        if entries and not self.begun and self.runs:
            entries.insert(0, {"run": self.runs[-1]})
            self.begun = True
        self.append(entries)


def measured(process: Process) -> bool:
    return not is_na(process["columns"][0][0])
