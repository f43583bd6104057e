"""What is parsed JSON but of another shape is left out and named; the rest stays; no traceback."""

import json
import re
import shutil
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.reading import asv_files, points
from scripts.words import shown
from tests.conftest import ROOT
from tests.reading import broken
from tests.reading.broken import DEEP, FILES, HUGE, MACHINE, ONE, YEAR_9000

pytestmark = pytest.mark.filterwarnings("error")  # NumPy's are lines that a user sees
FORBIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
slowly = settings(max_examples=60, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return broken.results(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def rows(whole):
    table, left_out = points.load(whole)
    assert not left_out
    return table


def copied(whole, tmp_path_factory):
    return shutil.copytree(whole, tmp_path_factory.mktemp("copy") / "results")


@slowly
@given(name=st.sampled_from(FILES), change=broken.changes(), line=st.integers(0, 10**4))
def test_any_other_shape(whole, rows, tmp_path_factory, name, change, line):
    folder = copied(whole, tmp_path_factory)
    broken.spoil(folder / name, change, line)
    said, table = broken.commands(folder, report=False)
    assert not FORBIDDEN.search(said)
    if name.startswith(f"{MACHINE}/{ONE}") or "calibration" in name:
        others = ~rows["commit"].str.startswith("4be76dc1")
        assert (~table["commit"].str.startswith("4be76dc1")).sum() == others.sum()
