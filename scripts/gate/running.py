"""What gate.py measures with: a comparison of two commits, and a machine's calibration."""

import argparse
import contextlib
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy
import pandas
from asv.util import UserError

from scripts.asv_plugin import machines
from scripts.gate import answer, measuring, pairs, verdict
from scripts.gate import sides as asv_sides
from scripts.gate.bump import between
from scripts.gate.comparable import check_commits, commit_hash
from scripts.gate.recording import Recording, read
from scripts.gate.sides import Point
from scripts.recording import conditions
from scripts.recording.conditions import Conditions
from scripts.setup import git
from scripts.words.vocabulary import series

RESULTS = Path("results")
# A copy of bytes does not depend on the dtype; and what 256 MiB would tell, 32 MiB tells in a
# fifth of the time.
GPU_POINTS = [r"HostToDevice.*'float32', \d{4,8}\)", r"time_link\(\d{4,8}\)"]
HOST_POINTS = ["HostCopy.*float32"]


def calibration_of(machine: str) -> Path:
    return RESULTS / machine / "calibration.jsonl"


class Run:
    """One run of measuring: the sides, open, and the recording that they are measured into."""

    def __init__(
        self,
        sides: Sequence[asv_sides.Side],
        points: Sequence[Point],
        processes: asv_sides.Processes,
        recording: Recording,
        deadline: float,
    ) -> None:
        self.points, self.processes = points, processes
        self.recording, self.deadline = recording, deadline
        versions = [side.versions() for side in sides]
        there = [{name: one[name] for name in one if one[name]} for one in versions]
        self.conditions = Conditions(machines.device(), versions[-1], sides=there)
        self.go_on()
        self.before = recording.processes
        self.note()

    def note(self, whole: bool = False) -> None:
        """What is known of this run, into the recording: also of one that does not end well."""
        run = self.conditions.run(conditions.now(), self.recording.processes - self.before)
        about = {"alarms": self.conditions.alarms(), "whole": whole}
        self.recording.add({"run": {**run, **about}})

    def look(self) -> None:
        self.conditions.look()
        self.note()

    def go_on(self) -> None:
        """With what an unfinished run has recorded, if it was measured in the same conditions."""
        if not self.recording.visits:
            return
        before = self.recording.conditions
        if not before or self.conditions.differ(before, ["sides"]):
            print("Not gone on with an unfinished run: the GPU, the driver or a library changed")
            self.recording.forget()
        else:
            kept = self.recording.processes
            print(f"Going on with an unfinished run: {kept} processes measured already")

    def visit(self, wanted: int, points: Sequence[Point] | None = None) -> bool:
        """Bring the points to `wanted` visits; returns whether there was time for it."""
        points = self.points if points is None else points
        return measuring.measure(
            self.recording, points, self.processes, wanted, self.deadline, self.look
        )

    def end(self) -> None:
        self.recording.check()
        self.note(whole=True)


@contextlib.contextmanager
def running(
    options: argparse.Namespace, commits: list[str], name: str, python: str | None = None
) -> Iterator[tuple[Run, str]]:
    """A Run on this machine, and the machine's name; its recording is called `name`."""
    try:
        changed = git.changed("benchmarks", cwd=".")
    except git.CannotSay as error:
        raise UserError(f"What differs from HEAD cannot be said: {error}") from None
    if changed:
        raise UserError(f"What measures is the work tree's, and this is in no commit: {changed[0]}")
    machine = machines.register(str(RESULTS))
    patterns = options.bench or (GPU_POINTS if machines.device() else HOST_POINTS)
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            told = f"--bench {pattern!r} is no regular expression: {error}"
            raise UserError(told) from None
    path = asv_sides.FOLDER / f"{name}-{machine}.jsonl"
    with asv_sides.opened(commits, patterns, python) as (sides, points, processes):
        known = {point.benchmark: point.version for point in points}
        recording = Recording(path, commits, known, patterns)
        deadline = time.monotonic() + 60 * options.budget  # the stacks are installed
        yield Run(sides, points, processes, recording, deadline), machine


def compare(options: argparse.Namespace) -> answer.Compared:
    """Measure two commits in turns and judge."""
    commits = [commit_hash(name) for name in (options.base, options.head)]
    check_commits(*commits)
    name = f"{commits[0][:8]}-{commits[1][:8]}"
    with running(options, commits, name) as (run, machine):
        return compared(run, machine, options.budget)


def compared(run: Run, machine: str, budget: float) -> answer.Compared:
    """What the sides of `run` come to; more visits where the first ones leave a doubt."""
    calibration, notes = calibrated(machine, run)
    first, *later = verdict.LOOKS
    enough(run, first, budget)
    doubts = []
    for wanted in later:
        found = judge(run.recording, calibration)
        again = suspects(found, run.points, wanted)
        if again and not run.visit(wanted, again):
            told = f"the budget of {budget:g} minutes ended before {len(again)} points"
            doubts.append(f"{told} in doubt were looked at again")
            break
    run.end()
    found = judge(run.recording, calibration)
    bump = between(run.recording.first["sides"], run.conditions.facts["python"])
    return answer.Compared(machine, bump, run.recording, found, notes, doubts)


def enough(run: Run, wanted: int, budget: float) -> None:
    """Bring all points to `wanted` visits; UserError if the budget does not allow it."""
    if run.visit(wanted):
        return
    lacking = sum(
        wanted - there for _, there in measuring.lacking(run.recording, run.points, wanted)
    )
    done = (run.recording.processes - run.before) / 2
    more = budget * lacking / max(done, 1)
    raise UserError(
        f"The budget of {budget:g} minutes ended {lacking} pairs of processes too early. What "
        f"was measured is kept: the same command with --budget {more + 1:.0f} goes on from there"
    )


def judge(recording: Recording, calibration: pandas.DataFrame | None) -> verdict.Verdict:
    """The verdict on a recording; UserError if nothing of it can be judged."""
    visits = pairs.of(recording.visits)
    if visits.empty:
        whys = [why for line in recording.visits for why in line.get("unmeasured", [])]
        reasons = {reason for why in whys for reason in why.values()}
        raise UserError(f"Nothing was measured on both sides: {'; '.join(sorted(reasons))}")
    return verdict.judge(visits, calibration)


def suspects(found: verdict.Verdict, points: Sequence[Point], wanted: int) -> list[Point]:
    """The points to look at again: one of their series, or its family, is near, or it is noisy.

    Not where it has `wanted` visits already, or is clear. A visit brings all series of its point.
    """
    rows = found.series
    near = found.families[found.families["near"]]
    families = set(zip(*(near[name] for name in verdict.FAMILY), strict=True))
    inside = [row in families for row in zip(*(rows[name] for name in verdict.FAMILY), strict=True)]
    noisy = verdict.promise(rows) > verdict.NOISY
    again = (rows["near"] | numpy.array(inside) | noisy) & ~rows["clear"]
    rows = rows[again & rows["visits"].lt(wanted)]
    keys = set(zip(*(rows[name] for name in pairs.SERIES), strict=True))
    return [
        point
        for point in points
        if any(series(point.benchmark, one) in keys for one in point.series.values())
    ]


def calibrated(machine: str, run: Run) -> tuple[pandas.DataFrame | None, list[str]]:
    """The visits of the machine's calibration, None without a usable one, and what to say of it."""
    path = calibration_of(machine)
    own = "this comparison is judged by its own noise alone"
    if not path.is_file():
        return None, [f"{machine} has no calibration (gate.py calibrate makes it): {own}"]
    first, runs, lines = read(path)
    there = run.recording.first["versions"]
    if any(first["versions"].get(name, there[name]) != there[name] for name in there):
        return None, [f"{path} is of another version of the benchmarks: {own}"]
    here = run.conditions.facts
    if runs and runs[-1]["facts"].get(conditions.GPU) != here.get(conditions.GPU):
        return None, [f"{path} was measured on another GPU: {own}"]
    visits = pairs.of(lines)
    return (None if visits.empty else visits), [f"Judged with {path}, {first['sides'][0][:8]}"]


def calibrate(options: argparse.Namespace) -> answer.Calibrated:
    """Measure HEAD against itself, and keep it as this machine's calibration."""
    commits = 2 * [commit_hash("HEAD")]
    with running(options, commits, "calibration", options.python) as (run, machine):
        enough(run, options.processes, options.budget)
        run.end()
    alarms = dict.fromkeys(alarm for one in run.recording.runs for alarm in one["alarms"])
    if alarms:
        raise UserError(f"Not kept as a calibration: {'; '.join(alarms)}")
    found = judge(run.recording, None)
    path = calibration_of(machine)
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(run.recording.path, path)
    return answer.Calibrated(path, found)
