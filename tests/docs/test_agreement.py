"""docs/numbers.md says how well runs agree: from runs on one H100 that are recorded beside this.

recorded/second-run.jsonl is the float32 part measured again right after that of the run in results/
(commit e62adfd3, the same machine). no-sentinel-*.jsonl are two runs of 24 of its points, minutes
later, with QUIET = 1e9, so that every sample counted. other-host-*.jsonl are the float32 part twice
on another H100, at commit 8b9898fd, whose forkservers are renewed; third-host-*.jsonl on a third,
at c02ba95e. A line: benchmark, parameters, seconds, and the sentinel's seconds, the median of the
processes.
"""

import json
import math
from collections import defaultdict
from statistics import median

import pytest

from scripts.gate import pairs, recording
from scripts.reading import chosen, points
from scripts.words import vocabulary
from scripts.words.vocabulary import LARGE, series
from tests.conftest import ROOT, VERSION_1

NUMBERS = ROOT / "docs" / "numbers.md"
MACHINE, COMMIT = "nvidia-h100-80gb-hbm3", "e62adfd3"
KINDS = {
    "pinned, 4 MiB and more": lambda memory, nbytes: memory == "pinned" and nbytes >= LARGE,
    "pinned, below": lambda memory, nbytes: memory == "pinned" and nbytes < LARGE,
    "pageable": lambda memory, nbytes: memory == "pageable",
}
BOUNDS = {"pinned, 4 MiB and more": 0.015, "pinned, below": 0.05, "pageable": 0.06}


def at_clock(seconds, link, sentinel, reference):
    """What a transfer of `seconds` would have taken on cores whose sentinel takes `reference`.

    What it takes beyond `link`, the seconds of the link itself for the same bytes, is the CPU's
    work, and goes as fast as the cores did, whose sentinel took `sentinel`. For comparing runs of
    one machine: its cores' clock moves (docs/numbers.md, "How far to trust them").
    """
    return seconds + max(seconds - link, 0) * (reference / sentinel - 1)


def recorded(name):
    """{(benchmark, *parameters): (seconds, sentinel)}"""
    lines = (ROOT / "tests" / "recorded" / f"{name}.jsonl").read_text().splitlines()
    return {tuple(point): tuple(found) for *point, found in map(pair, lines)}


def pair(line):
    *point, seconds, sentinel = json.loads(line)
    return *point, (seconds, sentinel)


def shares(one, other, points, link=None):
    """How many of `points` of each kind agree within its bound in two runs, in words.

    With `link`, {nbytes: seconds}, the second run's are taken to the first one's clock.
    """
    said = []
    for kind, bound in BOUNDS.items():
        near = []
        for point in points:
            if KINDS[kind](point[2], point[4]):
                (first, reference), (second, sentinel) = one[point], other[point]
                if link:
                    second = at_clock(second, link[point[4]], sentinel, reference)
                near.append(abs(second / first - 1) <= bound)
        said.append(f"{sum(near)} of {len(near)}")
    return said


@pytest.fixture(scope="module")
def result():
    """The run in results/, as `recorded` gives the others, and {nbytes: seconds of the link}."""
    found, _ = points.load(VERSION_1, machines={MACHINE})
    run = chosen.choose(found, f"{MACHINE}:{COMMIT}")
    keys = run[["benchmark", "method", "memory", "dtype", "nbytes"]].itertuples(index=False)
    pairs = zip(run["seconds"], run["sentinel_seconds"], strict=True)
    link = run[run["operation"] == "link"]
    seconds = dict(zip(link["nbytes"], link["seconds"], strict=True))
    return dict(zip(map(tuple, keys), pairs, strict=True)), seconds


def test_it_says_how_well_runs_agree(result):
    first, link = result
    second = recorded("second-run")
    without = recorded("no-sentinel-1"), recorded("no-sentinel-2")
    other = recorded("other-host-1"), recorded("other-host-2")
    third = recorded("third-host-1"), recorded("third-host-2")
    assert all(len(run) == 112 for run in (second, *other, *third))
    assert len(without[0]) == len(without[1]) == 24
    rows = zip(
        BOUNDS,
        shares(first, second, second),
        shares(first, second, second, link),
        shares(*other, second),
        shares(*third, second),
        shares(first, second, without[0]),
        shares(*without, without[0]),
        strict=True,
    )
    text = NUMBERS.read_text()
    for kind, *columns in rows:
        line = f"| {kind} | {100 * BOUNDS[kind]:g} % | {' | '.join(columns)} |"
        assert line in text, line


def test_it_says_that_it_is_the_time_and_not_the_process():
    """Two processes of one stack at once differ less than one of them and a later one."""
    _, _, lines = recording.read(ROOT / "tests" / "recorded" / "equal-stacks.jsonl")
    at_once, later = defaultdict(list), defaultdict(list)
    visits = defaultdict(list)
    for line in filter(lambda line: "change" in line, lines):
        _, _, memory, _, nbytes = point = series(line["benchmark"], line["parameters"])
        kind, seconds = vocabulary.kind(memory, nbytes), math.log(line["seconds"][0])
        at_once[kind].append(abs(line["change"]))
        later[kind] += [abs(seconds - before) for before in visits[point]]
        visits[point].append(seconds)
    assert len(at_once) == 2
    text = NUMBERS.read_text()
    for kind in at_once:
        figures = (f"{100 * median(found[kind]):.1f} %" for found in (at_once, later))
        line = f"| {kind} | {' | '.join(figures)} |"
        assert line in text, line


def test_it_says_how_well_runs_agree_that_are_made_at_once():
    _, _, lines = recording.read(VERSION_1 / MACHINE / "calibration.jsonl")
    visits = pairs.of(lines)
    visits = visits[visits["method"].ne("link")].sort_values("round")
    said = []
    for processes in 2, 4:
        first = visits.groupby(pairs.SERIES).head(processes)
        changes = first.groupby(["kind", *pairs.SERIES])["change"].mean().abs()
        counts = []
        for kind, bound in BOUNDS.items():
            found = changes[kind] <= math.log1p(bound)
            counts.append(f"{found.sum()} of {len(found)}")
        said.append(f"{counts[0]}, {counts[1]} and {counts[2]}")
    text = " ".join(NUMBERS.read_text().split())
    assert f"at {said[0]} points, with four at {said[1]}." in text


def test_a_transfer_that_is_all_link_does_not_follow_the_clock():
    assert at_clock(1.0, 1.0, 6e-5, 5e-5) == 1.0
    assert at_clock(2.0, 1.0, 6e-5, 5e-5) == pytest.approx(1 + 5 / 6)
    assert at_clock(0.9, 1.0, 6e-5, 5e-5) == 0.9  # the link's own noise
