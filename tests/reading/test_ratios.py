"""Ratios within visits: what they come to, which visits count, and how often they are wrong.

All of it from results made of stated truths (tests/stated.py).
"""

import json

import numpy
import pytest

from scripts.reading import points, ratios, standing, two_runs
from scripts.words.thresholds import LEVEL
from scripts.words.vocabulary import ALL, TRANSFERS
from tests import stated

TRUTH = {"cuda-python": 1.0, "torch": 1.05, "cupy": 1.0, "pycuda": 1.1}
POINT = ["operation", "memory", "dtype", "nbytes"]


def by_method(point):
    return TRUTH[point[1]]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stated")
    dtypes = [f"d{number}" for number in range(18)]  # as many points as can tell a rate
    stated.result(folder, by_method, dtypes=dtypes)
    found, left_out = points.load(folder)
    assert not left_out
    return found[found["operation"].isin(TRANSFERS)]


def of_point(rows, **named):
    for name, value in named.items():
        rows = rows[rows[name].eq(value)]
    return rows


def test_a_ratio_is_of_the_rounds_of_its_visit():
    """From the samples, by hand: the middle half of the rounds, then the mean of the visits."""
    random = numpy.random.default_rng(1)
    logs = random.normal(0, 1, (3, 2, 25))  # methods, visits, rounds
    taken = ratios.Processes(
        numpy.repeat([0, 2, 4], 2), numpy.tile([7, 3], 3), logs.reshape(6, 25)
    )  # of two sizes the first
    found = ratios.columns([taken], [3, 2], 0)
    off = numpy.sort(logs - logs.mean(axis=0))[..., 6:19].mean(axis=2)
    numpy.testing.assert_allclose(found["relative"][::2], off.mean(axis=1))
    numpy.testing.assert_allclose(
        found["relative_squares"][::2], ((off - off.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    )
    numpy.testing.assert_allclose(found["relative_free"][::2].sum(), (2 - 1) * (3 - 1))
    assert list(found["visits"][::2]) == [2, 2, 2]
    assert all(numpy.isnan(found[name][1::2]).all() for name in ratios.NUMBERS)


def test_ratios_are_the_true_ones_whatever_the_host_does(table):
    spread = table["seconds"].groupby([table[name] for name in [*POINT]], observed=True)
    assert table["log_sd"].min() > 10 * stated.OWN  # the seconds themselves drift
    assert len(spread) == len(table) / 4
    truth = numpy.log([TRUTH[method] for method in table["method"]])
    off = table["relative"] - (truth - numpy.log([*TRUTH.values()]).mean())
    assert abs(off.mean()) < 0.0002
    assert off.std() == pytest.approx(stated.VISIT * numpy.sqrt(3 / 4 / 2), rel=0.1)
    assert table["relative_sd"].to_numpy() == pytest.approx(stated.VISIT, rel=0.15)
    sums = table.drop_duplicates(["operation", "memory", "relative_df"])["relative_df"]
    assert sums.sum() == len(table) / 4 * 3  # (V - 1)(k - 1) a point


def test_methods_are_told_apart_as_often_as_is_said(table):
    """Two of four are equal: 99 of 100 times they are tied, and the others never are."""
    wrong = total = 0
    for _, rows in table.groupby(POINT, observed=True):
        found = standing.of_methods(rows).set_index("method")
        wrong += found["apart"]["cuda-python"] or found["apart"]["cupy"]
        assert found["apart"]["torch"]
        assert found["apart"]["pycuda"]
        total += 1
    assert total > 500
    assert wrong / total == pytest.approx(1 - LEVEL, abs=0.01)
    assert wrong


def test_by_seconds_hardly_anything_can_be_told(table):
    """What the same visits say, if nobody knows that they are visits."""
    rows = table.assign(relative=numpy.nan)
    apart = [
        standing.of_methods(point)["apart"].any() for _, point in rows.groupby(POINT, observed=True)
    ]
    assert not any(apart)


def edit(path, change):
    """Let `change` have each line of the noise file beside `path`."""
    beside = path.with_suffix(".noise.jsonl")
    lines = [json.loads(line) for line in beside.read_text().splitlines()]
    for line in lines:
        change(line)
    beside.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def loaded(path):
    found, left_out = points.load(path.parent.parent)
    assert not left_out
    return found[found["operation"].isin(TRANSFERS)]


def test_without_visits_there_are_no_ratios(tmp_path):
    """As version 1 wrote it; all else is the same."""
    path = stated.result(tmp_path, by_method)
    before = loaded(path)
    edit(path, lambda line: line.pop("visit"))
    after = loaded(path)
    without = ["visits", "relative", "relative_sd", "relative_df"]
    assert after[without].isna().all(axis=None)
    assert before.drop(columns=without).equals(after.drop(columns=without))


def test_a_method_that_was_measured_alone_has_no_ratio(tmp_path):
    def alone(line):
        if line["parameters"][0] == "torch":
            line["visit"] = [f"{visit} of torch" for visit in line["visit"]]

    path = stated.result(tmp_path, by_method)
    edit(path, alone)
    rows = loaded(path)
    torch = rows["method"].eq("torch")
    assert rows.loc[torch, "relative"].isna().all()
    assert rows.loc[~torch, "relative"].notna().all()
    three = numpy.log([TRUTH[name] for name in TRUTH if name != "torch"]).mean()
    pycuda = rows.loc[rows["method"].eq("pycuda"), "relative"].mean()
    assert pycuda == pytest.approx(numpy.log(1.1) - three, abs=0.002)
    point = of_point(rows, operation="new_array", memory="pinned", nbytes=1024)
    assert not standing.by_ratio(point)
    assert standing.by_ratio(point[point["method"].ne("torch")])


def test_a_method_that_is_alone_in_its_visits_has_no_ratio(tmp_path):
    path = stated.result(tmp_path, lambda point: 1.0 if point[1] == "torch" else None)
    rows = loaded(path)
    assert rows[["visits", "relative"]].isna().all(axis=None)
    assert rows.loc[rows["method"].eq("torch"), "processes"].eq(2).all()


def test_visits_of_fewer_methods_do_not_count(tmp_path):
    """PyCUDA failed in the second visit: its mean would be of others."""

    def failed(line):
        if line["parameters"][0] == "pycuda":
            line["visit"][1] = "measured alone"

    path = stated.result(tmp_path, by_method)
    edit(path, failed)
    rows = loaded(path)
    assert rows["visits"].eq(1).all()
    assert rows["relative_sd"].isna().all()
    assert (
        rows["relative"].groupby([rows[n] for n in POINT], observed=True).sum().abs().max() < 0.01
    )
    found = standing.of_methods(of_point(rows, operation="new_array", memory="pinned", nbytes=1024))
    assert found["margin"].isna().all()
    assert not found["apart"].any()


def test_a_visit_that_is_there_twice_is_no_traceback(tmp_path):
    path = stated.result(tmp_path, by_method)
    edit(path, lambda line: line.update(visit=["one"] * len(line["visit"])))
    assert loaded(path)["visits"].eq(1).all()


def two(tmp_path, change, **options):
    """What is said of two results of a machine, the second with `change` of each point."""
    for number, factor in enumerate((by_method, lambda point: by_method(point) * change(point))):
        commit = stated.COMMITS[number]
        path = stated.result(tmp_path, factor, commit, number, **options)
    table = loaded(path)
    left, right = (table[table["commit"].eq(commit)] for commit in stated.COMMITS[:2])
    return two_runs.compared(left, right)


DTYPES = [f"d{number}" for number in range(5)]


def test_a_library_that_changed_is_told_and_no_other(tmp_path):
    """By 5 %, while the host became half as slow again."""
    told = two(tmp_path, lambda point: 1.5 * (1.05 if point[1] == "torch" else 1), dtypes=DTYPES)
    single = told[told["by_ratio"]]
    torch = single["method"].eq("torch")
    assert len(single) == 4 * 2 * 2 * 5 * 7
    assert single.loc[torch, "apart"].mean() > 0.95
    assert single.loc[torch, "change"].mean() == pytest.approx(-numpy.log(1.05), abs=0.002)
    assert single.loc[~torch, "apart"].mean() < 0.01
    assert single.loc[~torch, "change"].mean() == pytest.approx(0, abs=0.002)
    together = told[told["method"].eq(ALL)]
    assert len(together) == len(single) / 4
    assert together["change"].mean() == pytest.approx(-numpy.log(1.5), abs=0.03)


def test_a_large_step_of_one_method_moves_no_other(tmp_path):
    told = two(tmp_path, lambda point: 3 if point[1] == "torch" else 1, drift=0.02)
    single = told[told["by_ratio"]].set_index("method")
    assert single.loc["torch", "apart"].all()
    assert single.drop("torch")["apart"].mean() < 0.02
    assert not told[told["method"].eq(ALL)]["apart"].any()


def test_two_methods_are_compared_by_seconds(tmp_path):
    """If one of two changed, nobody knows which."""

    def change(point):
        return None if point[1] in ("cupy", "pycuda") else 1.0

    left = stated.result(tmp_path, lambda point: change(point) and 1, stated.COMMITS[0], 0)
    stated.result(tmp_path, lambda point: change(point) and 1, stated.COMMITS[1], 1)
    table = loaded(left)
    assert table.loc[table["status"].eq("ok"), "relative"].notna().all()
    told = two_runs.compared(*(table[table["commit"].eq(one)] for one in stated.COMMITS[:2]))
    assert not told["by_ratio"].any()
    assert not told["method"].eq(ALL).any()


def test_two_machines_are_compared_by_seconds(tmp_path):
    for number, machine in enumerate("ab"):
        slow = 2.0**number
        stated.result(tmp_path, lambda point, slow=slow: slow, machine=machine, drift=0.01)
    table, _ = points.load(tmp_path)
    told = two_runs.compared(*(table[table["machine"].eq(machine)] for machine in "ab"))
    assert not told["by_ratio"].any()
    transfers = told[told["operation"].isin(TRANSFERS)]
    assert transfers["apart"].all()
    assert transfers["change"].mean() == pytest.approx(-numpy.log(2), abs=0.01)
