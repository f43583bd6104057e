"""GPU against GPU in words: the numbers of both, their dates, and what cannot be told apart."""

import re

import pytest

from scripts.reading import points
from scripts.report_page import against, page
from tests import derived

COMMIT = "c0ffee00" * 5


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(1.5, "the second takes 50 % longer"), (0.5, "the first takes 100 % longer"), (1.0, None)],
)
def test_a_pair_is_said_with_numbers_and_dates(tmp_path, factor, verdict):
    derived.result(tmp_path, "one", COMMIT, 1)
    derived.result(tmp_path, "other", COMMIT, 1, lambda name, point: factor)
    rows = page.newest(points.load(tmp_path)[0])
    found = against.told(rows)
    assert set(found) == {"one", "other"}
    (said,) = found["one"]
    assert re.match(r"one \(measured 20\d\d-\d\d-\d\d\) against other \(measured 20", said)
    pinned = re.search(r"256 MiB pinned with (\S+) (\S+) and (\S+) GB/s \(([^)]*)\)", said)
    assert float(pinned[2]) / float(pinned[3]) == pytest.approx(factor, rel=0.01)
    row = rows.query("machine == 'one' and operation == 'existing_array' and dtype == 'float32'")
    row = row[row["method"].eq(pinned[1]) & row["memory"].eq("pinned")]
    assert float(pinned[2]) == pytest.approx(row["gb_per_s"].iloc[-1], rel=0.01)
    assert re.fullmatch(verdict or r"cannot be told apart below \d+(\.\d+)? %", pinned[4])
    assert re.search(r"1 KiB pageable with \S+ \S+ µs and \S+ µs", said)


def test_what_is_of_an_older_model_is_named():
    left_out = ["a/x.json: link: an older version", "b/x.json: link: an older version", "c/x: no"]
    assert against.older(left_out, ["b"]) == ["a"]
