"""Measuring in turns: processes of two sides next to each other, until enough of them were quiet.

A pass visits the points in a random order, and a visit is one process of each side, one right after
the other, in a random order too: what drifts on the machine reaches both sides alike.
"""

import random
import time
from collections import Counter

import facts
from regression.pairs import clean, level
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from scripts import asv_plugin
from scripts.asv_plugin.sides import installed

MOST = 2  # times as many visits as are wanted, where some were not quiet


class Conditions:
    """What the machine is like while it is measured, and what is wrong with it."""

    def __init__(self, sides):
        self.gpu = asv_plugin.gpu
        libraries = [facts.software(installed(side)) for side in sides]
        self.facts = {**libraries[-1], "sides": libraries, **facts.collect(facts.HOST)}
        self.readings, self.others = [], 0
        self.run = {"started": now(), "ended": None, "processes": 0}
        self.run |= {"alarms": [], "whole": False, "facts": self.facts}
        if self.gpu:
            self.facts |= facts.collect(facts.GPU, self.gpu)
        self.look()

    def look(self):
        """At the GPU, while none of our processes is on it."""
        if self.gpu:
            self.others = max(self.others, facts.others_on(self.gpu))
            self.readings += facts.readings_under_load(self.gpu)
            self.facts |= facts.summary(self.readings)

    def known(self, processes, whole=False):
        """The run as far as it is known, with its alarms, a line each."""
        link = asv_plugin.gpu_facts.get("link")
        alarms = list(facts.alarms(self.facts, link, self.others)) if self.gpu else []
        return {
            **self.run,
            "ended": now(),
            "processes": processes,
            "alarms": alarms,
            "whole": whole,
        }


def now():
    return round(1000 * time.time())


def key(benchmark, parameters):
    return benchmark, tuple(parameters.values())


def visit(recording, sides, point, process, number):
    """A process of each side."""
    for place in random.sample(range(len(sides)), len(sides)):
        found = process(sides[place], point)
        named = {"benchmark": point.benchmark, "parameters": point.parameters}
        recording.add(**named, side=place, round=number, **found, ended=now())


def visits(recording, sides):
    """{point: whole visits}, {point: quiet ones}, both counts, and the points not measured."""
    rounds, unmeasured = {}, set()
    limit = level(recording.processes)
    for line in recording.processes:
        point = key(line["benchmark"], line["parameters"])
        if "seconds" not in line:
            unmeasured.add(point)
        else:
            there = rounds.setdefault((point, line["round"]), {})
            there[line["side"]] = clean(line["samples"], line["quiet"], line["sentinel"], limit)
    whole = {place: sides_ for place, sides_ in rounds.items() if len(sides_) == len(sides)}
    quiet = (point for (point, _), sides_ in whole.items() if all(sides_.values()))
    return Counter(point for point, _ in whole), Counter(quiet), unmeasured


def lacking(recording, sides, points, wanted):
    """The points that want another visit; `wanted` is how many quiet ones each shall have."""
    whole, quiet, unmeasured = visits(recording, sides)
    for point in points:
        name = key(point.benchmark, point.parameters)
        if name not in unmeasured and quiet[name] < wanted and whole[name] < MOST * wanted:
            yield point, whole[name]


def measure(recording, sides, points, process, wanted, deadline, look):
    """Visit `points` until each has `wanted` quiet visits, or MOST times as many of any kind.

    Returns whether there was time for it. A point that cannot be measured is left alone. `look` is
    called after each pass: at the machine.
    """
    columns = TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn()
    # The display's own thread would disturb what is measured: it is drawn between visits alone.
    with Progress(*columns, auto_refresh=False) as progress:
        while left := list(lacking(recording, sides, points, wanted)):
            fewest = min(number for _, number in left)
            left = [(point, number) for point, number in left if number == fewest]
            random.shuffle(left)
            task = progress.add_task(f"visit {fewest + 1} of each point", total=len(left))
            for point, number in left:
                if time.monotonic() > deadline:
                    return False
                process.level(level(recording.processes))
                visit(recording, sides, point, process, number)
                progress.advance(task)
                progress.refresh()
            look()
    return True
