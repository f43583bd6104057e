"""The file that a comparison or a calibration is kept in, line by line as its processes end.

JSON lines. First what was measured ("sides": the commits; "versions" of the benchmarks), then a
line for each run that measured into it ("run", as in provenance.py, with the "alarms" it raised)
and for each process: its benchmark, parameters, side (an index of "sides"), round, seconds (the
median of its samples), samples, quiet, sentinel (noise.py), and when it ended (ms since 1970); or
why it has no seconds, "skipped" or "failed". Processes of one point and round ran next to each
other: they share the moment's noise.
"""

import json
import os
from pathlib import Path

import pandas

FIRST = "sides", "versions"
PROCESS = ["benchmark", "side", "round", "seconds", "samples", "quiet", "sentinel", "ended"]
PARAMETERS = ["method", "memory", "dtype", "nbytes"]


class Broken(Exception):
    """A recording that is not whole; the text says what is wrong with it."""


class Recording:
    """The recording at `path`; gone on with if it is unfinished, of these `sides` and `versions`.

    Broken if there is a file that is none.
    """

    def __init__(self, path, sides, versions):
        self.path, self.first = Path(path), {"sides": sides, "versions": versions}
        self.runs, self.processes = [], []
        if self.path.is_file():
            first, runs, processes = read(self.path)
            if first == self.first and not (runs and runs[-1]["ended"]):
                self.runs, self.processes = runs, processes
        self.write()

    def write(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = Path(f"{self.path}.new")
        lines = [self.first, *({"run": run} for run in self.runs), *self.processes]
        try:
            new.write_text("".join(json.dumps(line) + "\n" for line in lines))
            new.replace(self.path)
        finally:
            new.unlink(missing_ok=True)

    def add(self, **line):
        """A process, or a run; onto the disk itself, as the host may be taken away."""
        if not self.path.is_file():
            raise Broken(f"{self.path} was taken away while it was measured into")
        if "run" in line:  # at its start, and again at its end
            others = [run for run in self.runs if run["started"] != line["run"]["started"]]
            self.runs = [*others, line["run"]]
        else:
            self.processes.append(line)
        with open(self.path, "a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    @property
    def conditions(self):
        """The facts of the last run that measured into it; None if there was none."""
        return self.runs[-1]["facts"] if self.runs else None

    def forget(self):
        """Begin anew."""
        self.runs, self.processes = [], []
        self.write()

    def check(self):
        """Broken unless the file holds what was measured."""
        try:
            whole = read(self.path) == (self.first, self.runs, self.processes)
        except OSError:
            whole = False
        if not whole:
            raise Broken(f"{self.path} was changed while it was measured into")


def read(path):
    """The first line, the runs and the processes of a recording; a last half line is left out."""
    text = Path(path).read_text()
    lines = text.split("\n")[:-1]
    try:
        first, *rest = map(json.loads, lines)
        first = {key: first[key] for key in FIRST}
        runs = {line["run"]["started"]: line["run"] for line in rest if "run" in line}
        processes = [line for line in rest if "run" not in line]
        gpus = {dict(run["facts"]).get("gpu uuid hash") for run in runs.values()}
        table(processes)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Broken(f"{path} is no recording of gate.py's, or a broken one") from None
    if len(gpus) > 1:
        raise Broken(f"{path} was measured on {len(gpus)} GPUs, whose numbers do not mix")
    return first, list(runs.values()), processes


def table(processes):
    """One row a process that measured: PROCESS, PARAMETERS (None where there is no such one)."""
    rows = [
        {name: line[name] for name in PROCESS}
        | {name: line["parameters"].get(name) for name in PARAMETERS}
        for line in processes
        if "seconds" in line
    ]
    return pandas.DataFrame(rows, columns=[*PROCESS, *PARAMETERS])
