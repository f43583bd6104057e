"""How each process of each point was measured: what it notes, and the file beside the results.

One line of JSON a point: its benchmark, version and parameters, and for each of its processes, in
the order of asv's samples, how many samples it has, how many of them (the first ones) are quiet,
the seconds of the sentinel, which is how fast its core was, and the visit's id: points with the
same one, of which only the method differs, were measured in turn, sample by sample. A point that is
n/a has no processes, and in "skipped" why: asv keeps the same of it as of one that nobody asked
for. asv reads every .json in results/ as results of its own, so the name ends otherwise.
"""

import collections
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy
from asv.console import log
from asv.util import is_na

from scripts.recording import schema
from scripts.words.formats import count
from scripts.words.shown import plain
from scripts.words.thresholds import QUIET

SUFFIX = ".noise.jsonl"
COLUMNS = "samples", "quiet", "sentinel", "visit"  # a value a process
LONGEST = 300  # characters of a reason
OLDEST = {"samples": 25, "sentinel": None, "visit": None}  # in the place of what is not there
Point = tuple[str, int]  # a benchmark, and the index of its parameters
Points = dict[tuple[Any, ...], dict[str, Any]]  # lines by (benchmark, *parameters)


def path_beside(results_file: str | Path) -> Path:
    return Path(results_file).with_suffix(SUFFIX)


def load(path: str | Path) -> Points:
    """{(benchmark, *parameters): line} of the file at `path`; {} if there is none.

    ValueError if it is broken.
    """
    try:
        points = schema.lines(Path(path), schema.Noise)
    except ValueError as error:
        raise ValueError(f"Error parsing the noise file '{path}': {error}") from None
    for point in points:
        for column, value in OLDEST.items():
            if point.get(column) is None:
                point[column] = [value] * len(point["quiet"])
    return {(point["benchmark"], *point["parameters"]): point for point in points}


@contextmanager
def replacing(path: str | Path, points: Points) -> Iterator[None]:
    """Write what `load` reads: it is on the disk before the block, and in its place after it."""
    new = Path(f"{path}.new")
    try:
        new.write_text("".join(json.dumps(points[key]) + "\n" for key in sorted(points, key=str)))
        yield
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


class Notes:
    """What the processes of one run noted."""

    def __init__(self) -> None:
        self.others = 0  # processes that measured and noted no visit
        self.visits: dict[str, dict[str, Any]] = {}  # by id: a process each
        self.level = math.inf  # the quiet level, if that was found to be too high
        # COLUMNS of each visit, by point
        self.processes: dict[Point, list[dict[str, Any]]] = collections.defaultdict(list)
        self.skipped: dict[Point, str] = {}  # why it is n/a
        self.failed: set[Point] = set()
        self.died: dict[Any, str] = {}  # visit whose process died: what it said
        self.missing: dict[str, str] = {}  # method: why it could not be installed

    @property
    def measured(self) -> int:
        """How many processes measured."""
        return len(self.visits) + self.others

    def add(
        self,
        point: Point,
        value: Any,
        samples: Sequence[float] | None,
        told: Sequence[dict[str, Any]],
    ) -> None:
        """What one process has of a point: asv's value (None: it failed; NaN: n/a) and samples, and
        what it told of it (journal.Process)."""
        if value is None:
            self.failed.add(point)
            return
        if is_na(value):
            for note in told or [{}]:
                said = plain(note.get("skipped", "no reason was given"))
                self.skipped[point] = said[:LONGEST]
            return
        self.others += not told
        left = len(samples or [])  # asv may have taken fewer than were offered
        for note in told:
            taken = min(note["samples"], left)
            left -= taken
            if taken:
                quiet = min(note["quiet"], taken)  # the quiet ones come first
                visit = {**{column: note[column] for column in COLUMNS}, "samples": taken}
                self.processes[point].append({**visit, "quiet": quiet})
                self.visits[note["visit"]] = self.processes[point][-1]
        self.judge(self.level)

    def judge(self, level: float) -> None:
        """What was measured so far was so with a quiet level too high: `level` would be right."""
        self.level = level
        for visit in itertools.chain.from_iterable(self.processes.values()):
            if visit["sentinel"] > QUIET * level:
                visit["quiet"] = 0

    def report(self) -> None:
        for reason, number in sorted(collections.Counter(self.skipped.values()).items()):
            method, not_installed, _ = reason.partition(" is not installed")
            if not_installed and method in self.missing:
                reason += f": {self.missing[method]}"
            log.info(f"{count(number, 'point is', 'points are')} n/a: {reason}")
        for said in sorted(set(self.died.values())):
            number = list(self.died.values()).count(said)
            visits = count(number, "visit", "visits")
            log.warning(f"{visits} ended too soon, so each method was measured alone: {said}")
        if self.failed:
            log.error(f"{count(len(self.failed), 'point', 'points')} failed")
        if not self.measured:
            return
        measured = list(self.visits.values())
        noisy = sum(visit["quiet"] < visit["samples"] for visit in measured)
        done = f"{count(self.measured, 'process', 'processes')} measured"
        if not measured:  # cold starts know no quiet core
            log.info(done)
            return
        if noisy:
            log.warning(f"{done}, {noisy} of them not all the time on a quiet core")
        else:
            log.info(f"{done}, all the time on a quiet core")
        sentinels = [visit["sentinel"] for visit in measured]
        fast, slow = 1e6 * numpy.quantile(sentinels, [0.05, 0.95])
        if slow > QUIET * fast:
            log.warning(
                f"The cores' speed changed during the run (sentinel: {fast:.0f} to {slow:.0f} us); "
                "small and pageable transfers change with it"
            )
