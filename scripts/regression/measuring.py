"""Measuring in turns: each round visits every point once, in a random order, and a visit is a
process of each side, one right after the other, in a random order too."""

import random
import time

import facts
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from scripts import asv_plugin
from scripts.asv_plugin.sides import installed

DECIDING = asv_plugin.DECIDING  # what runs must have in common to add to one recording


class Conditions:
    """What the machine was like while it was measured, and what was wrong with it."""

    def __init__(self, sides):
        self.gpu = asv_plugin.gpu
        self.facts = {"libraries": [facts.software(installed(side)) for side in sides]}
        self.facts |= facts.software(installed(sides[-1])) | facts.collect(facts.HOST)
        self.readings, self.others = [], 0
        self.run = {"started": now(), "ended": None, "processes": 0, "facts": self.facts}
        if self.gpu:
            self.facts |= facts.collect(facts.GPU, self.gpu)
        self.look()

    def look(self):
        """At the GPU, while none of our processes is on it."""
        if not self.gpu:
            return
        self.others = max(self.others, facts.others_on(self.gpu))
        self.readings += facts.readings_under_load(self.gpu)
        self.facts |= facts.summary(self.readings)

    def end(self, processes):
        """The run, complete, with its alarms in words."""
        self.look()
        link = asv_plugin.gpu_facts.get("link")
        alarms = list(facts.alarms(self.facts, link, self.others)) if self.gpu else []
        return {**self.run, "ended": now(), "processes": processes, "alarms": alarms}


def now():
    return round(1000 * time.time())


def visit(recording, sides, point, process, number):
    """A process of each side; returns whether all of them measured."""
    order = list(range(len(sides)))
    random.shuffle(order)
    measured = True
    for place in order:
        found = process(sides[place], point)
        measured = measured and "seconds" in found
        named = {"benchmark": point.benchmark, "parameters": point.parameters}
        recording.add(**named, side=place, round=number, **found, ended=now())
    return measured


def key(benchmark, parameters):
    return benchmark, tuple(parameters.values())


def done(recording, sides):
    """{point's key: rounds in which every side has a process}, and the keys of what cannot be."""
    seen, unmeasured = {}, set()
    for line in recording.processes:
        point = key(line["benchmark"], line["parameters"])
        if "seconds" not in line:
            unmeasured.add(point)
        seen.setdefault(point, {}).setdefault(line["round"], set()).add(line["side"])
    whole = {
        point: {number for number, places in rounds.items() if len(places) == len(sides)}
        for point, rounds in seen.items()
    }
    return whole, unmeasured


def measure(recording, sides, points, process, rounds, deadline):
    """Bring every one of `points` to `rounds` rounds; returns whether there was time for it.

    A point that could not be measured is left alone for the rest of the run.
    """
    have, unmeasured = done(recording, sides)
    left = []
    for number in range(rounds):
        for point in random.sample(points, len(points)):
            name = key(point.benchmark, point.parameters)
            if number not in have.get(name, ()):
                left.append((number, point, name))
    columns = TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn()
    # The display's own thread would disturb what is measured: it is drawn between visits alone.
    with Progress(*columns, auto_refresh=False) as progress:
        task = progress.add_task("measuring", total=len(left))
        for number, point, name in left:
            if time.monotonic() > deadline:
                return False
            if name not in unmeasured and not visit(recording, sides, point, process, number):
                unmeasured.add(name)
            progress.advance(task)
            progress.refresh()
    return True
