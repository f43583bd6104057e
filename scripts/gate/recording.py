"""The file that a comparison or a calibration is kept in, line by line as its visits end.

JSON lines. First what was measured ("sides": the commits; "versions" of the benchmarks; "bench":
the expressions that chose the points), then lines of each run that measured into it ("run", as in
provenance.py, with the "alarms" it raised and whether it came to a "whole" comparison; its last one
counts) and a line for each visit: its benchmark, parameters and round, when it ended (ms since
1970), change (measuring.py), and, a value a side, seconds (the median of a process's samples) and
sentinel (noise.py), and which servers the processes were forked from (when these were started); or
"unmeasured", for each side why, "skipped" or "failed", if it is that one.
"""

import json
import os
from pathlib import Path

FIRST = "sides", "versions", "bench"
WHYS = {"skipped", "failed"}  # a process has no seconds


class Broken(Exception):
    """A recording that is not whole; the text says what is wrong with it."""


class Recording:
    """The recording at `path`; gone on with if it is unfinished and what it is of is the same.

    Broken if there is a file that is none.
    """

    def __init__(self, path, sides, versions, bench):
        self.path = Path(path)
        self.first = {"sides": sides, "versions": versions, "bench": bench}
        self.runs, self.visits = [], []
        if self.path.is_file():
            first, runs, visits = read(self.path)
            if first == self.first and not any(run.get("whole") for run in runs):
                # What could not be measured is tried again.
                self.visits = [line for line in visits if "change" in line]
                self.runs = runs
        self.write()

    def write(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = Path(f"{self.path}.new")
        lines = [self.first, *({"run": run} for run in self.runs), *self.visits]
        try:
            new.write_text("".join(json.dumps(line) + "\n" for line in lines))
            new.replace(self.path)
        finally:
            new.unlink(missing_ok=True)

    def add(self, **line):
        """A visit, or a run; onto the disk itself, as the host may be taken away."""
        if not self.path.is_file():
            raise Broken(f"{self.path} was taken away while it was measured into")
        if "run" in line:  # at its start, and again at its end
            others = [run for run in self.runs if run["started"] != line["run"]["started"]]
            self.runs = [*others, line["run"]]
        else:
            self.visits.append(line)
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
        self.runs, self.visits = [], []
        self.write()

    def check(self):
        """Broken unless the file holds what was measured."""
        try:
            whole = read(self.path) == (self.first, self.runs, self.visits)
        except OSError:
            whole = False
        if not whole:
            raise Broken(f"{self.path} was changed while it was measured into")


def read(path):
    """The first line, the runs and the visits of a recording; a last half line is left out.

    Broken if it is no recording, or holds what no visit can have measured.
    """
    try:
        lines = Path(path).read_text().split("\n")[:-1]
        first, *rest = map(json.loads, lines)
        first = {key: first.get(key) for key in FIRST}
        runs = {line["run"]["started"]: line["run"] for line in rest if "run" in line}
        gpus = {run["facts"].get("gpu uuid hash") for run in runs.values()}
        visits = [line for line in rest if "run" not in line]
        sane = all(map(is_visit, visits)) and len(first["sides"]) == 2
        sane = sane and all(isinstance(side, str) for side in first["sides"])
        dict(first["versions"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sane = False
    if not sane:
        raise Broken(
            f"{path} is no recording of gate.py's, or a broken one: delete it to begin anew"
        )
    if len(gpus) > 1:
        raise Broken(f"{path} was measured on {len(gpus)} GPUs, whose numbers do not mix")
    return first, list(runs.values()), visits


def is_visit(line):
    """Whether a line is one of a visit, with numbers that a measurement can give."""
    known = isinstance(line["round"], int) and "." in line["benchmark"]
    known = known and all(isinstance(value, (str, int)) for value in line["parameters"].values())
    counts = line["ended"], line["parameters"].get("nbytes", 0)
    known = known and all(isinstance(count, int) and 0 <= count < 1e15 for count in counts)
    if "change" not in line:
        whys = [set(side) for side in line["unmeasured"]]
        return known and len(whys) == 2 and any(whys) and all(why <= WHYS for why in whys)
    times = [*line["seconds"], *line["sentinel"]]
    known = known and isinstance(line["servers"], int)
    return (
        known
        and isinstance(line["change"], float)
        and abs(line["change"]) < 30
        and len(line["seconds"]) == len(line["sentinel"]) == 2
        and all(isinstance(time, float) and 0 < time < 1e6 for time in times)
    )
