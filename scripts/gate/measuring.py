"""Visits of points, pass by pass, and what the machine is like meanwhile.

A visit is a process of each side, both alive at once, whose rounds are taken in turn (turns.py); a
round has a sample of each series of the point. Round by round the logarithm of HEAD's over BASE's
is had; the mean of the middle half of these is what a series changed by in the visit. A pass visits
each point once, in a random order, and begins with new servers: a third of the noise is what the
processes forked from one have in common, as its memory's layout.
"""

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from scripts.gate.recording import WHYS, Recording
from scripts.gate.sides import Point, Processes
from scripts.gate.verdict import middle
from scripts.recording.conditions import now

VISITS = 26  # with the same servers, at most
NO_TURNS = {"failed": "the samples were not taken in turns"}

Key = tuple[str, tuple[Any, ...]]  # of a series


def key(benchmark: str, parameters: dict[str, Any]) -> Key:
    return benchmark, tuple(parameters.values())


def visit(recording: Recording, point: Point, processes: Processes, number: int) -> None:
    """A process of each side, in turns; into the recording, a line for each series."""
    sides, turns = processes.visit(point)
    about = {"round": number, "visit": recording.visits[-1]["visit"] + 1 if recording.visits else 0}
    ended = now()
    lines = []
    for name, parameters in point.series.items():
        line = {"benchmark": point.benchmark, "parameters": parameters, **about}
        told = [came(side, name) for side in sides]
        rounds = [[came({"series": one}, name) for one in turn] for turn in turns]
        if rounds and all("seconds" in side for side in told) and all(map(all, rounds)):
            base, head = numpy.transpose(rounds)
            line["change"] = float(middle(numpy.log(head / base)))
            line["seconds"] = [float(numpy.median(side)) for side in (base, head)]
            line["sentinel"] = [side["sentinel"] for side in sides]
            line["servers"] = processes.started
        else:
            whys = [{why: last(one[why]) for why in WHYS if why in one} for one in told]
            line["unmeasured"] = whys if any(whys) else 2 * [NO_TURNS]
        lines.append({**line, "ended": ended})
    recording.add(*lines)


def came(side: dict[str, Any], name: str | None) -> Any:
    """What a side has of a series, or else of its whole process; {} if that is nothing."""
    series = side.get("series", {})
    if name is None:  # the only one
        (name,) = series or [None]
    return series.get(name) or {why: side[why] for why in WHYS if why in side}


def last(text: str) -> str:
    """The last line of a traceback says what went wrong."""
    return (text.strip().splitlines() or ["no reason was given"])[-1][:1000]


def visits(recording: Recording) -> tuple[Counter[Key], set[Key]]:
    """{series: visits}, and the series that cannot be measured."""
    lines = [(key(line["benchmark"], line["parameters"]), line) for line in recording.visits]
    unmeasured = {series for series, line in lines if "unmeasured" in line}
    return Counter(series for series, line in lines if "change" in line), unmeasured


def lacking(
    recording: Recording, points: Iterable[Point], wanted: int
) -> Iterator[tuple[Point, int]]:
    """The points that want another visit, each with how many it has.

    One has as many as that of its series which has the fewest; those that cannot be measured are
    left out.
    """
    there, unmeasured = visits(recording)
    for point in points:
        series = {key(point.benchmark, parameters) for parameters in point.series.values()}
        least = min((there[one] for one in series - unmeasured), default=wanted)
        if least < wanted:
            yield point, least


def measure(
    recording: Recording,
    points: Sequence[Point],
    processes: Processes,
    wanted: int,
    deadline: float,
    look: Callable[[], None],
) -> bool:
    """Visit `points` until each has `wanted` visits; returns whether there was time for it.

    What cannot be measured is left alone. `look` is called after each pass: at the machine.
    """
    columns = TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn()
    # The display's own thread would disturb what is measured: it is drawn between visits alone.
    with Progress(*columns, auto_refresh=False) as progress:
        while left := list(lacking(recording, points, wanted)):
            fewest = min(number for _, number in left)
            left = [(point, number) for point, number in left if number == fewest]
            random.shuffle(left)
            servers = math.ceil(len(left) / VISITS)
            task = progress.add_task(f"visit {fewest + 1} of each point", total=len(left))
            for done, (point, number) in enumerate(left):
                if time.monotonic() > deadline:
                    return False
                if done * servers // len(left) > (done - 1) * servers // len(left):
                    processes.renew()
                visit(recording, point, processes, number)
                progress.advance(task)
                progress.refresh()
            look()
    return True
