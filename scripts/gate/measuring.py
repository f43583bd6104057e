"""Visits of points, pass by pass, and what the machine is like meanwhile.

A visit is a process of each side, both alive at once, whose samples are taken in turn (turns.py).
Turn by turn the logarithm of HEAD's over BASE's is had; the mean of the middle half of these is the
visit's change. A pass visits each point once, in a random order, and begins with new servers: a
third of the noise is what the processes forked from one have in common, as its memory's layout.
"""

import random
import time
from collections import Counter

import numpy
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from scripts.gate.recording import WHYS
from scripts.gate.verdict import middle
from scripts.recording.conditions import now

VISITS = 26  # with the same servers, at most


def key(benchmark, parameters):
    return benchmark, tuple(parameters.values())


def visit(recording, point, processes, number):
    """A process of each side, in turns; into the recording."""
    found, turns = processes.visit(point)
    line = {"benchmark": point.benchmark, "parameters": point.parameters, "round": number}
    if all("sentinel" in side for side in found) and turns:
        base, head = numpy.transpose(turns)
        line["change"] = float(middle(numpy.log(head / base)))
        line["seconds"] = [float(numpy.median(side)) for side in (base, head)]
        line["sentinel"] = [side["sentinel"] for side in found]
        line["servers"] = processes.started
    else:
        line["unmeasured"] = [{w: side[w] for w in WHYS if w in side} for side in found]
        if not any(line["unmeasured"]):
            line["unmeasured"] = 2 * [{"failed": "the samples were not taken in turns"}]
    recording.add(**line, ended=now())


def visits(recording):
    """{point: visits}, and the points that cannot be measured."""
    lines = [(key(line["benchmark"], line["parameters"]), line) for line in recording.visits]
    unmeasured = {point for point, line in lines if "unmeasured" in line}
    return Counter(point for point, line in lines if "change" in line), unmeasured


def lacking(recording, points, wanted):
    """The points that want another visit, each with how many it has."""
    there, unmeasured = visits(recording)
    for point in points:
        name = key(point.benchmark, point.parameters)
        if name not in unmeasured and there[name] < wanted:
            yield point, there[name]


def measure(recording, points, processes, wanted, deadline, look):
    """Visit `points` until each has `wanted` visits; returns whether there was time for it.

    A point that cannot be measured is left alone. `look` is called after each pass: at the machine.
    """
    columns = TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn()
    # The display's own thread would disturb what is measured: it is drawn between visits alone.
    with Progress(*columns, auto_refresh=False) as progress:
        while left := list(lacking(recording, points, wanted)):
            fewest = min(number for _, number in left)
            left = [(point, number) for point, number in left if number == fewest]
            random.shuffle(left)
            task = progress.add_task(f"visit {fewest + 1} of each point", total=len(left))
            for done, (point, number) in enumerate(left):
                if time.monotonic() > deadline:
                    return False
                if done % VISITS == 0:
                    processes.renew()
                visit(recording, point, processes, number)
                progress.advance(task)
                progress.refresh()
            look()
    return True
