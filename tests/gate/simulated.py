"""A recording as a comparison of equal stacks might make it: simulated, and not measured.

Each visit has a part that is common to its series, as what one side's process has of its own, and
each of its series has one more. How far that leads the verdict astray:

.venv/bin/python -m tests.gate.simulated
"""

import json

import numpy

from scripts.gate import verdict
from scripts.gate.pairs import FEWEST, of
from scripts.words.vocabulary import KINDS, OTHERS, TRANSFERS, kind
from tests.gate import replay

METHODS = "cuda-python", "torch", "cupy", "pycuda"
SIZES = [1024 * 8**step for step in range(6)]
SPREAD = dict(zip(KINDS, (0.005, 0.01, 0.006), strict=True))  # of a visit's change
COMMON = 0.3  # the share of its variance that is common to the series of a visit
SERVED = 15  # visits, with the same servers
RUNS = 4000


def points():
    """(benchmark, parameters of each series) of each visit of a pass."""
    for one in TRANSFERS.values():
        for memory in "pinned", "pageable":
            for nbytes in SIZES:
                about = {"memory": memory, "dtype": "float32", "nbytes": nbytes}
                yield one.benchmark, [{"method": method, **about} for method in METHODS]
    for nbytes in SIZES:
        yield OTHERS["link"], [{"nbytes": nbytes}]


def lines(passes=FEWEST, seed=0):
    """The lines of a recording's visits (scripts/gate/recording.py)."""
    random = numpy.random.default_rng(seed)
    made, visit = [], 0
    for number in range(passes):
        for place, (benchmark, series) in enumerate(points()):
            nbytes = series[0]["nbytes"]
            spread = SPREAD[kind(series[0].get("memory", "pinned"), nbytes)]
            common, *own = random.standard_normal(1 + len(series))
            for parameters, mine in zip(series, own, strict=True):
                change = spread * (COMMON**0.5 * common + (1 - COMMON) ** 0.5 * mine)
                seconds = 1e-5 + nbytes / 50e9
                made.append(
                    {
                        "benchmark": benchmark,
                        "parameters": parameters,
                        "round": number,
                        "visit": visit,
                        "change": change,
                        "seconds": [seconds, seconds * numpy.exp(change)],
                        "sentinel": [6e-5, 6e-5],
                        "servers": 10 * number + place // SERVED,
                        "ended": 1_800_000_000_000 + visit,
                    }
                )
            visit += 1
    return made


def recorded(path, versions, facts):
    """Write a recording of `lines` to `path`, with the facts of its run."""
    run = {"started": 1, "ended": 2, "processes": 240, "facts": facts, "alarms": [], "whole": True}
    first = {"sides": 2 * ["a" * 40], "versions": versions, "bench": []}
    there = [first, {"run": run}, *lines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in there))


def false_alarms(common, spread, runs, seed=0):
    """In how many of `runs` something is found, at the first look, and as the gate goes on.

    `spread` is that of all visits: large enough, it is never too small to matter.
    """
    random = numpy.random.default_rng(seed)
    series, *_ = replay.matrix(of(lines()))
    judge = replay.Judge(series)
    place = series.groupby(["benchmark", "memory", "nbytes"]).ngroup().to_numpy()
    once = whole = 0
    for _ in range(runs // replay.AT_ONCE):
        shape = replay.AT_ONCE, len(series), verdict.LOOKS[-1]
        shared = random.standard_normal(shape)[:, place]
        changes = common**0.5 * shared + (1 - common) ** 0.5 * random.standard_normal(shape)
        looks = [judge.series(spread * changes[:, :, :count]) for count in verdict.LOOKS]
        once += replay.alarms(judge, looks[:1]).sum()
        whole += replay.alarms(judge, looks).sum()
    return once, whole


def table():
    """The false alarms, in Markdown: a row for what a visit's series have in common."""
    yield f"| of {RUNS} comparisons | at the first look | as the gate goes on |"
    yield "| --- | ---: | ---: |"
    for common in 0, 0.5, 0.9:
        once, whole = (f"{100 * found / RUNS:.2f} %" for found in false_alarms(common, 0.1, RUNS))
        yield f"| {100 * common:g} % of the variance in common | {once} | {whole} |"


if __name__ == "__main__":
    print("\n".join(table()))
