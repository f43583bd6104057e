"""A slowdown that is planted in one library's call, on one side only: of methods that copy."""

import itertools
import re
import sys

import pytest

from scripts.gate import recording
from tests import copying

METHODS = "cuda-python", "torch", "cupy"
BENCH = rf"existing_array\('({'|'.join(METHODS)})', 'pageable', 'float32', 8192\)"
CALL = "benchmarks.methods.pytorch:copy"
ROW = re.compile(
    r"existing_array, pageable, . KiB: "
    r"planted \+(\d+) %, measured \+(\d+) % \(\+- ([\d.]+)\), found slower"
)


@pytest.mark.gpu
@pytest.mark.slow
def test_it_is_found_on_a_gpu(project):
    points = r"existing_array\('[a-z-]+', 'pinned', 'float32', (1024|8192|65536)\)"
    words = "torch", "torch:Tensor.copy_", "100", "--bench", points
    done = project.call(sys.executable, "-m", "tests.gate.planted", *words)
    assert done.returncode == 1, done.stdout
    assert "\nOf 9 series of other methods: found nothing\n" in done.stdout


def test_it_is_found_as_large_as_it_is_and_nothing_of_the_others(project):
    copying.methods(project, cuda_python="\n\ndef load():\n    import not_there\n")
    words = "torch", CALL, "100", "--bench", BENCH
    done = project.call(sys.executable, "-m", "tests.gate.planted", *words)
    assert done.returncode == 1, done.stdout
    rows = [tuple(map(float, row)) for row in ROW.findall(done.stdout)]
    ((planted, measured, _),) = rows
    # Other tests run beside; and calls in a loop cost a little less than among transfers.
    assert 0.75 * planted < measured < 1.7 * planted
    assert "\nOf 1 series of other methods: found nothing\n" in done.stdout

    # A visit brings the series that were asked for of its point, and no others.
    (path,) = project.path.glob(".asv/gate/planted-*.jsonl")
    visits = recording.read(path)[2]
    for _, lines in itertools.groupby(visits, key=lambda line: line["visit"]):
        lines = list(lines)
        assert [line["parameters"]["method"] for line in lines] == list(METHODS)
        missing, *there = lines
        why = {"skipped": "cuda-python is not installed (no module not_there)"}
        assert missing["unmeasured"] == [why, why]
        assert all(len(line["seconds"]) == 2 for line in there)
    assert len({line["visit"] for line in visits}) >= 4
