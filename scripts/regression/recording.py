"""The file that a comparison or a calibration is kept in, line by line as its processes end.

JSON lines. First what was measured ("sides": the commits; "versions" of the benchmarks; "bench":
the expressions that chose the points), then lines of each run that measured into it ("run", as in
provenance.py, with the "alarms" it raised and whether it came to a "whole" comparison; its last one
counts) and a line for each process: its benchmark, parameters, side (an index of "sides"), round,
seconds (the median of its samples), samples, quiet, sentinel (noise.py), and when it ended (ms
since 1970); or why it has no seconds, "skipped" or "failed". Processes of one point and round ran
next to each other: they share the moment's noise.
"""

import json
import os
from pathlib import Path

import pandas

FIRST = "sides", "versions", "bench"
PROCESS = ["benchmark", "side", "round", "seconds", "samples", "quiet", "sentinel", "ended"]
PARAMETERS = ["method", "memory", "dtype", "nbytes"]


class Broken(Exception):
    """A recording that is not whole; the text says what is wrong with it."""


class Recording:
    """The recording at `path`; gone on with if it is unfinished and what it is of is the same.

    Broken if there is a file that is none.
    """

    def __init__(self, path, sides, versions, bench):
        self.path = Path(path)
        self.first = {"sides": sides, "versions": versions, "bench": bench}
        self.runs, self.processes = [], []
        if self.path.is_file():
            first, runs, processes = read(self.path)
            if first == self.first and not any(run.get("whole") for run in runs):
                # What could not be measured is tried again.
                self.processes = [line for line in processes if "seconds" in line]
                self.runs = runs
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
    """The first line, the runs and the processes of a recording; a last half line is left out.

    Broken if it is no recording, or holds what no process can have measured.
    """
    try:
        lines = Path(path).read_text().split("\n")[:-1]
        first, *rest = map(json.loads, lines)
        first = {key: first.get(key) for key in FIRST}
        runs = {line["run"]["started"]: line["run"] for line in rest if "run" in line}
        gpus = {dict(run["facts"]).get("gpu uuid hash") for run in runs.values()}
        processes = [line for line in rest if "run" not in line]
        sane = all(map(is_process, processes)) and len(first["sides"]) == 2
        sane = sane and all(isinstance(side, str) for side in first["sides"])
        dict(first["versions"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sane = False
    if not sane:
        raise Broken(f"{path} is no recording of gate.py's, or a broken one")
    if len(gpus) > 1:
        raise Broken(f"{path} was measured on {len(gpus)} GPUs, whose numbers do not mix")
    return first, list(runs.values()), processes


def is_process(line):
    """Whether a line is one of a process, with numbers that a measurement can give."""
    known = line["side"] in (0, 1) and isinstance(line["round"], int) and dict(line["parameters"])
    known = known and "." in line["benchmark"]
    if "seconds" not in line:
        return known and bool(line.get("skipped") or line.get("failed"))
    times = line["seconds"], line["sentinel"]
    counts = line["samples"], line["quiet"], line["ended"], line["parameters"].get("nbytes", 0)
    return (
        known
        and all(isinstance(time, float) and 0 < time < 1e6 for time in times)
        and all(isinstance(count, int) and 0 <= count < 1e15 for count in counts)
    )


def table(processes):
    """One row a process that measured: PROCESS, PARAMETERS (None where there is no such one)."""
    rows = [
        {name: line[name] for name in PROCESS}
        | {name: line["parameters"].get(name) for name in PARAMETERS}
        for line in processes
        if "seconds" in line
    ]
    return pandas.DataFrame(rows, columns=[*PROCESS, *PARAMETERS])
