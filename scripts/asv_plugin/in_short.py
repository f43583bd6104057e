"""What a user of bench.py sees of `asv run` and `asv publish`: what they do, and how far they are.

In effect where bench.py says so, in the environment: asv itself says what it always does.
"""

import collections
import logging
import math
import os
import re
from typing import Any

from asv.console import log

from scripts.asv_plugin.visits import visit
from scripts.setup.progress import Line

IN_SHORT = "ASV_IN_SHORT"  # set by bench.py
# What asv says, and what is said instead: in this order, the first that fits; "" is nothing.
SAID = [
    (r"Creating environments", "Making asv's environment in .asv/env, where it is not there yet"),
    (r"Installing (\w+).* into .*", r"Installing the libraries that commit \1 pins"),
    (r"Setting up \w+:\d+", "Finding out how fast a quiet core is"),
    (r"Benchmarking .*", "Measuring"),
    (r"Left out: .*: an older version", ""),  # compare.py counts them
    (
        r"Discovering benchmarks|Running |For NumPy to GPU commit|Loading |Getting |"
        r"Detecting |Generating |Writing index|ok$|=====|[a-z_]+\.[A-Z]\w+\.\w+$|\.+$",
        "",
    ),
]
FAILED = re.compile(r"(\d+/\d+ )?failed")


class Progress:
    """How far `asv run` is: visits, of which so many are measured. The points of a visit come at
    once, when asv asks for the first of them."""

    interleaved = False  # whether asv measures one round of all at a time

    def __init__(self) -> None:
        self.total = 0
        self.done: set[Any] = set()
        self.times: collections.Counter[Any] = collections.Counter()  # of each point
        self.line = Line(log.flush)

    def begin_with(self, benchmarks: Any) -> None:
        """asv is about to measure what is selected of `benchmarks`."""
        selected, total = benchmarks.benchmark_selection, 0
        for name, benchmark in benchmarks.items():
            points = selected.get(name, range(math.prod(map(len, benchmark["params"]))))
            visits = len({visit(benchmark, point) for point in points})
            total += visits * (1 if self.interleaved else benchmark.get("rounds", 1))
        self.begin(total)

    def begin(self, total: int) -> None:
        self.__init__()  # type: ignore[misc]
        self.total = total

    def step(self, benchmark: dict[str, Any], index: int) -> None:
        """A process of the point `index` is measured: its first one, its second, ..."""
        point = benchmark["name"], index
        self.times[point] += 1
        self.done.add((visit(benchmark, index), self.times[point]))
        if IN_SHORT not in os.environ or not self.total:
            log.dot()
            return
        share = min(len(self.done) / self.total, 1)
        left = self.line.elapsed() * (1 / share - 1)
        self.line.show(f"{share:.0%} measured, about {left:.0f} s left")


progress = Progress()


class InShort(logging.Filter):
    """Lets a record pass if it is shown, changed to what is said instead."""

    benchmark, failed = "", False

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.msg.strip()
        if self.failed and text.startswith("====="):  # asv's table of it, and the reason below it
            self.failed = False
            return True
        if FAILED.match(text):
            self.failed, record.msg = True, f"{self.benchmark}: {text}"
            return True
        for pattern, instead in SAID:
            if found := re.match(pattern, text):
                self.benchmark = text
                record.msg = found.expand(instead)
                break
        # So that what asv adds to a line, "ok" or dots, does not come behind another one.
        (progress.line.end if record.msg else log.flush)()
        return bool(record.msg)


if IN_SHORT in os.environ:
    log.set_nitems = lambda number: None  # for its percentages, which are of benchmarks
    logging.getLogger().addFilter(InShort())
