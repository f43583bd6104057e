"""What an unfinished run has measured, process by process, so that the next run goes on from there.

asv writes results only when a run is over. Until then every process that measured is a line of JSON
in a file beside the results, which a finished run takes away again: its key (what was measured, and
the how-manieth process of its point it was) and all that asv and noise.py want of it. A run's first
line is its provenance (provenance.py).
"""

import collections
import contextlib
import json
import os
from pathlib import Path

from scripts.recording import provenance, schema

SUFFIX = ".unfinished.jsonl"


class Journal:
    """The journal of the results file `results_file`; a broken line was not written whole."""

    def __init__(self, results_file):
        self.path = Path(results_file).with_suffix(SUFFIX)
        self.kept, self.used = {}, set()
        self.count = collections.Counter()  # processes of each point in this run
        self.runs = []  # the provenance of those that did not finish, and of this one
        self.begun = False  # whether the provenance of this one is in the file
        text = self.path.read_text(errors="replace") if self.path.is_file() else ""
        for line in text.splitlines():
            with contextlib.suppress(ValueError, RecursionError):
                self.take(json.loads(line))  # which knows asv's NaN
        self.write()

    def take(self, entry):
        """A line of the file; ValueError if it is none."""
        if isinstance(entry, dict) and "run" in entry:
            schema.check(entry, schema.RunBegan)
            self.runs.append({key: entry["run"][key] for key in provenance.RUN})
        else:
            schema.check(entry, schema.Measured)
            self.kept[entry["key"]] = entry["process"]

    def write(self):
        """Replace the file by what is kept and not used; no file if that is nothing."""
        rest = {key: process for key, process in self.kept.items() if key not in self.used}
        if not rest:
            self.path.unlink(missing_ok=True)
            return
        new = Path(f"{self.path}.new")
        entries = [{"run": run} for run in self.runs if not run.get("ended")]
        entries += [{"key": key, "process": process} for key, process in rest.items()]
        new.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
        new.replace(self.path)

    def append(self, entry):
        """Onto the disk itself: the host may be taken away."""
        with open(self.path, "a") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def begin(self, run):
        """This run's provenance, `run`, as far as it is known at its start."""
        self.runs.append(run)

    def forget(self):
        """Leave out what unfinished runs have measured."""
        self.kept, self.runs = {}, []
        self.write()

    def next_process(self, *point):
        """The key of the next process of `point`, and what is kept of it, or None."""
        number = self.count[point]
        self.count[point] += 1
        key = json.dumps([*point, number])
        self.used.add(key)
        return key, self.kept.get(key)

    def add(self, key, process):
        if not self.begun:
            self.append({"run": self.runs[-1]})
            self.begun = True
        self.append({"key": key, "process": process})
        self.kept[key] = process
