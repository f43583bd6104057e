"""README's figures of how well runs agree, from runs on one H200 that are recorded beside this.

recorded/second-run.jsonl is the float32 part measured again within a quarter of an hour of the run
in results/ (commit 0d3bb95a, the same machine). no-sentinel-*.jsonl are two runs of 24 of its
points with QUIET = 1e9, so that every sample counted. A line: benchmark, parameters, seconds.
"""

import json

import chosen
import points
import pytest
from intervals import LARGE

from tests.conftest import ROOT

COMMIT = "0d3bb95a"
KINDS = {
    "pinned, 4 MiB and more": lambda memory, nbytes: memory == "pinned" and nbytes >= LARGE,
    "pinned, below": lambda memory, nbytes: memory == "pinned" and nbytes < LARGE,
    "pageable": lambda memory, nbytes: memory == "pageable",
}
BOUNDS = {"pinned, 4 MiB and more": 0.015, "pinned, below": 0.05, "pageable": 0.06}


def recorded(name):
    lines = (ROOT / "tests" / "recorded" / f"{name}.jsonl").read_text().splitlines()
    return {tuple(point): seconds for *point, seconds in map(json.loads, lines)}


def shares(one, other, points):
    """The share of `points` of each kind at which two runs agree within its bound, in words."""
    said = []
    for kind, bound in BOUNDS.items():
        near = [
            abs(one[point] / other[point] - 1) <= bound
            for point in points
            if KINDS[kind](point[2], point[4])
        ]
        said.append(f"{sum(near)} of {len(near)}")
    return said


@pytest.fixture(scope="module")
def first():
    """{(benchmark, *parameters): seconds} of the run in results/"""
    found, _ = points.load()
    run = chosen.choose(found, f"nvidia-h200:{COMMIT}")
    keys = run[["benchmark", "method", "memory", "dtype", "nbytes"]].itertuples(index=False)
    return dict(zip(map(tuple, keys), run["seconds"], strict=True))


def test_readme_says_how_well_runs_agree(first):
    second = recorded("second-run")
    without = recorded("no-sentinel-1"), recorded("no-sentinel-2")
    assert len(second) == 112
    assert len(without[0]) == len(without[1]) == 24
    columns = zip(
        BOUNDS,
        shares(first, second, second),
        shares(first, second, without[0]),
        shares(*without, without[0]),
        strict=True,
    )
    readme = (ROOT / "README.md").read_text()
    for kind, whole, part, bare in columns:
        row = f"| {kind} | {100 * BOUNDS[kind]:g} % | {whole} | {part} | {bare} |"
        assert row in readme, row
