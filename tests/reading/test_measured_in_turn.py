"""From `asv run` to the tables: methods that copy on the host, of which one is made slower."""

import sys

import numpy
import pytest

from scripts.reading import points, standing
from tests import copying

NBYTES = [1024, 8192, 65536]
POINTS = rf"existing_array\(.*'pageable', 'float32', ({'|'.join(map(str, NBYTES))})\)"
SLOWER = """

from .. import in_turn
if not hasattr(in_turn, "original"):
    in_turn.original = in_turn.take_round

    def take_round(group, order, level, wake=0):
        one = in_turn.original(group, order, level, wake)
        one.seconds["torch"] *= 3
        return one

    in_turn.take_round = take_round
"""


def test_ratios_from_asv_run_to_the_tables(project):
    copying.methods(project, cuda_python=SLOWER)
    done = project.run("--bench", POINTS)
    assert done.returncode == 0, done.stdout
    table, left_out = points.load(project.path / "results")
    assert not left_out
    rows = table[table["status"].eq("ok")]
    assert len(rows) == 4 * len(NBYTES)
    assert rows["visits"].eq(2).all()
    assert rows["relative_df"].eq(3 * len(NBYTES)).all()
    for _, point in rows.groupby("nbytes"):
        found = standing.of_methods(point).set_index("method")
        assert found["apart"]["torch"]
        assert found["cost"]["torch"] == pytest.approx(numpy.log(3), abs=0.6)
    done = project.call(sys.executable, "scripts/compare.py")
    assert done.returncode == 0, done.stdout
    assert "Methods are compared by their ratios in the visits" in " ".join(done.stdout.split())
    lines = [line for line in done.stdout.splitlines() if line.startswith((" torch ", " cupy "))]
    assert lines
    assert all(("*" in line) == line.startswith(" cupy") for line in lines)
