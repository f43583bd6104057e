"""The file that a comparison or a calibration is kept in, line by line as its visits end.

JSON lines. First what was measured ("sides": the commits; "versions" of the benchmarks; "bench":
the expressions that chose the points), then lines of each run that measured into it ("run", as in
provenance.py, with the "alarms" it raised and whether it came to a "whole" comparison; its last one
counts) and a line for each series of a visit: its benchmark, parameters and round, the visit's
number, when it ended (ms since 1970), change (measuring.py), and, a value a side, seconds (the
median of a process's samples) and sentinel (noise.py), and which servers the processes were forked
from (when these were started); or "unmeasured", for each side why, "skipped" or "failed", if it is
that one.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from scripts.recording import schema

FIRST = "sides", "versions", "bench"
WHYS = get_args(schema.Why)
Line = dict[str, Any]


class Broken(Exception):
    """A recording that is not whole; the text says what is wrong with it."""


class Recording:
    """The recording at `path`; gone on with if it is unfinished and what it is of is the same.

    Broken if there is a file that is none.
    """

    def __init__(
        self,
        path: str | Path,
        sides: list[str],
        versions: Mapping[str, str | None],
        bench: list[str],
    ) -> None:
        self.path = Path(path)
        self.first: Line = {"sides": sides, "versions": versions, "bench": bench}
        self.runs: list[Line] = []
        self.visits: list[Line] = []
        if self.path.is_file():
            first, runs, visits = read(self.path)
            if first == self.first and not any(run.get("whole") for run in runs):
                # What could not be measured is tried again.
                self.visits = [line for line in visits if "change" in line]
                self.runs = runs
        self.write()

    def write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = Path(f"{self.path}.new")
        lines = [self.first, *({"run": run} for run in self.runs), *self.visits]
        try:
            new.write_text("".join(json.dumps(line) + "\n" for line in lines))
            new.replace(self.path)
        finally:
            new.unlink(missing_ok=True)

    def add(self, *lines: Line) -> None:
        """The lines of a visit, or a run's; onto the disk itself, as the host may be taken away."""
        if not self.path.is_file():
            raise Broken(f"{self.path} was taken away while it was measured into")
        for line in lines:
            if "run" in line:  # at its start, and again at its end
                others = [run for run in self.runs if run["started"] != line["run"]["started"]]
                self.runs = [*others, line["run"]]
            else:
                self.visits.append(line)
        with open(self.path, "a") as file:
            file.write("".join(json.dumps(line) + "\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())

    @property
    def processes(self) -> int:
        """How many were measured, a process of each side a visit."""
        return 2 * len({line["visit"] for line in self.visits})

    @property
    def conditions(self) -> Line | None:
        """The facts of the last run that measured into it; None if there was none."""
        return self.runs[-1]["facts"] if self.runs else None

    def forget(self) -> None:
        """Begin anew."""
        self.runs, self.visits = [], []
        self.write()

    def check(self) -> None:
        """Broken unless the file holds what was measured."""
        try:
            whole = read(self.path) == (self.first, self.runs, self.visits)
        except OSError:
            whole = False
        if not whole:
            raise Broken(f"{self.path} was changed while it was measured into")


def read(path: str | Path) -> tuple[Line, list[Line], list[Line]]:
    """The first line, the runs and the visits of a recording; a last half line is left out.

    Broken if it is no recording, or holds what no visit can have measured.
    """
    whole, _, _ = Path(path).read_bytes().rpartition(b"\n")
    try:
        first, *rest = schema.decoded(whole)
        schema.check(first, schema.First)
        for line in rest:
            schema.check(line, kind(line))
    except ValueError:
        raise Broken(
            f"{path} is no recording of gate.py's, or a broken one: delete it to begin anew"
        ) from None
    first = {key: first.get(key) for key in FIRST}
    runs = {line["run"]["started"]: line["run"] for line in rest if "run" in line}
    gpus = {str(run["facts"].get("gpu uuid hash")) for run in runs.values()}
    if len(gpus) > 1:
        raise Broken(f"{path} was measured on {len(gpus)} GPUs, whose numbers do not mix")
    lines = (line for line in rest if "run" not in line)
    visits = [{"visit": number, **line} for number, line in enumerate(lines)]  # of version 1
    return first, list(runs.values()), visits


def kind(line: Any) -> type[schema.Struct]:
    """What a line behind the first one is, or would be."""
    if isinstance(line, dict) and "run" in line:
        return schema.GateBegan
    return schema.Visit if isinstance(line, dict) and "change" in line else schema.Unmeasured
