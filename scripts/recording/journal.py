"""What an unfinished run has measured, process by process, so that the next run goes on from there.

asv writes results only when a run is over. Until then every process that measured is a line of JSON
in a file beside the results, which a finished run takes away again: its key (what was measured, and
the how-manieth process of its point it was) and all that asv and noise.py want of it. A run's first
line is its provenance (provenance.py).
"""

import collections
import json
import os
from pathlib import Path

from scripts.recording import provenance

SUFFIX = ".unfinished.jsonl"


def is_process(process):
    """Whether it is what a process can have measured: asv's columns, each of one point, and notes.

    It may raise a ValueError, KeyError or TypeError instead.
    """
    (value,), (samples,), (number,) = process["columns"]
    samples = samples if process["notes"] else samples or []
    told = [note[name] for note in process["notes"] for name in ("quiet", "sentinel")]
    numbers = [value, number or 1, *samples, *told]
    return all(isinstance(one, (int, float)) for one in numbers)


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
            try:
                entry = json.loads(line)
                if "run" in entry:
                    run = {key: entry["run"][key] for key in provenance.RUN}
                    if provenance.is_run(run):
                        self.runs.append(run)
                elif is_process(entry["process"]):
                    self.kept[entry["key"]] = entry["process"]
            except (ValueError, KeyError, TypeError):
                continue
        self.write()

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
