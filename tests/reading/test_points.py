"""The tidy table: its numbers against asv's own files, what is left out of it, its intervals."""

import json
import math

import numpy
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts import points as points_command
from scripts.reading import exported, intervals, points
from scripts.recording import provenance
from scripts.setup import processors
from scripts.words.vocabulary import TRANSFERS
from tests import derived
from tests.conftest import VERSION_1

EXISTING = TRANSFERS["existing_array"].benchmark

COMMIT = "c0ffee00" * 5
NAN = math.nan


@pytest.fixture(scope="module")
def whole():
    table, left_out = points.load(VERSION_1)
    assert not left_out
    return table


@pytest.fixture(scope="module")
def recorded(whole):
    """The rows of one results file, the one that derived.py takes."""
    return whole[whole["machine"].eq(derived.MACHINE) & whole["commit"].str.startswith("0d3bb95a")]


def columns(size, **given):
    """The columns of one benchmark of `size` points, as points.part makes them."""
    text = {name: numpy.full(size, "x", object) for name in points.TEXT}
    numbers = dict.fromkeys(("commit_date", "measured", "processes"), numpy.ones(size))
    return {**text, **numbers, "squares": numpy.zeros(size), **given}


def test_every_number_is_asvs(recorded):
    (path,) = VERSION_1.glob("nvidia-h200/0d3bb95a-*py3.12.json")
    data = json.loads(path.read_text())
    for name, values in data["results"].items():
        rows = recorded[recorded["benchmark"].eq(name)]
        wanted = dict(zip(data["result_columns"], values, strict=False))
        assert list(rows["seconds"]) == wanted["result"]
        if "nbytes" in path.read_text() or wanted["params"]:
            last = [value.strip("'") for value in wanted["params"][-1]]
            column = rows["wait"] if name.endswith("nothing") else rows["nbytes"]
            assert [str(value) for value in column[: len(last)]] == last
    assert len(recorded) == sum(len(values[0]) for values in data["results"].values())
    assert not recorded.duplicated([*points.RUN, "benchmark", *points.PARAMETERS]).any()


@given(st.lists(st.tuples(st.floats(1e-9, 1e3), st.integers(1, 2**40)), min_size=1))
def test_seconds_to_rates_and_back(given):
    seconds, nbytes = map(numpy.array, zip(*given, strict=True))
    part = columns(len(seconds), status=numpy.full(len(seconds), "ok", object))
    table = points.tidy([{**part, "seconds": seconds, "nbytes": nbytes}])
    rates = table["gb_per_s"]
    numpy.testing.assert_allclose(table["nbytes"].astype(float) / (rates * 1e9), seconds, 1e-12)
    assert (rates > 0).all()


@settings(deadline=None, max_examples=25)
@given(states=st.lists(st.sampled_from(["ok", "n/a", "failed"]), min_size=1, max_size=35))
def test_what_has_no_number_stays_apart(states, tmp_path_factory):
    number = {"ok": 1.0, "n/a": NAN, "failed": None}
    folder = tmp_path_factory.mktemp("results")
    copy = "reference.HostCopy.time_copy"
    wanted = dict(enumerate(states))
    derived.result(
        folder,
        "m",
        COMMIT,
        1,
        lambda name, point: number[wanted.get(point, "ok")] if name == copy else 1.0,
    )
    table, left_out = points.load(folder)
    rows = table[table["benchmark"].eq(copy)]
    assert list(rows["status"][: len(states)]) == states
    without = rows["status"].ne("ok")
    numbers = ["seconds", "seconds_low_99", "seconds_high_99", "gb_per_s", "gb_per_s_low_99"]
    assert rows.loc[without, numbers].isna().all(axis=None)
    assert rows.loc[~without, numbers].gt(0).all(axis=None)
    assert not left_out


def test_the_files_hold_the_table_and_what_is_beside_it(tmp_path, whole, monkeypatch):
    derived.result(tmp_path / "r", "m", COMMIT, 1)
    (path,) = (tmp_path / "r" / "m").glob("*-py3.12.json")
    path.write_text(path.read_text().replace('"python": "3.12"', '"python": "3.10"'))
    given = {"machine": object, "commit": object, "environment": object, "status": object}
    other, _ = points.load(tmp_path / "r")
    table = pandas.concat([whole.astype(given), other.astype(given)], ignore_index=True)
    table.loc[len(table) - 3, ["status", "seconds", "gb_per_s"]] = ["n/a", NAN, NAN]
    monkeypatch.setattr(points, "load", lambda: (table, []))
    monkeypatch.setattr(exported.of, "__defaults__", (VERSION_1,))
    csv, parquet = tmp_path / "p.csv", tmp_path / "p.parquet"
    points_command.main(["--csv", str(csv), "--parquet", str(parquet)])
    for file in pandas.read_csv(csv), pandas.read_parquet(parquet):
        assert list(file.columns[: len(points.COLUMNS)]) == points.COLUMNS
        assert len(file) == len(table)
        for name in "seconds", "gb_per_s", "processes", "visits":
            numpy.testing.assert_allclose(file[name].astype(float), table[name].astype(float))
        assert set(file["python"]) == {"v3.12", "v3.10"}
        assert set(file["status"]) == {"ok", "not measured"}
        assert "NVIDIA H200" in set(file["gpu"])
        h100 = file[file["machine"].eq("nvidia-h100-80gb-hbm3")]
        first = h100[h100["commit"].str.startswith("b0cf0fc0")].iloc[0]
        facts = provenance.load(next(VERSION_1.glob("*h100*/b0cf0fc0*.provenance.jsonl")))[-1][
            "facts"
        ]
        for column, fact in ("driver", "driver"), ("torch_version", "torch"), ("kernel", "kernel"):
            assert first[column] == f"v{facts[fact]}"
        assert first["pycuda_version"] == f"v{facts['pycuda']}"
        two = h100[h100["commit"].str.startswith("e62adfd3")].iloc[0]["gpu_id"]
        assert len(two.split("; gpu-")) == 2  # GPUs
        assert file.loc[file["machine"].eq("m"), "driver"].isna().all()  # nothing beside it


def test_every_column_is_described():
    for column in points.COLUMNS:
        assert column in points.__doc__, column
    for column, *_ in exported.FACTS:
        assert column in exported.__doc__, column


def test_bad_arguments_are_one_line(capsys, tmp_path):
    with pytest.raises(SystemExit, match="2"):
        points_command.main([])
    assert "where to? --csv FILE" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="non-existent directory"):
        points_command.main(["--csv", str(tmp_path / "no" / "p.csv")])


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/p.csv", "memory://p.csv"])
@pytest.mark.parametrize("kind", ["--csv", "--parquet"])
def test_an_address_is_the_name_of_a_file(address, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=r"non-existent directory|No such file"):
        points_command.main([kind, address])


def test_intervals_hold_what_they_promise():
    """Of 4,000 points of two processes each, 99 % of the intervals hold the true value."""
    random, count, spread = numpy.random.default_rng(1), 4000, 0.05
    logs = random.normal(0, spread, (count, 2))
    table = pandas.DataFrame(
        {name: ["x"] * count for name in intervals.KIND if name != "large"}
        | {"status": "ok", "nbytes": 1024, "processes": 2.0, "seconds": numpy.exp(logs.mean(1))}
        | {"squares": ((logs - logs.mean(1, keepdims=True)) ** 2).sum(1)}
        | dict.fromkeys(("visits", "relative_squares", "relative_free"), NAN)
    )
    held = intervals.add(table).query("seconds_low_99 < 1 < seconds_high_99")
    assert 0.98 < len(held) / count < 0.998
    assert held["log_sd"].iloc[0] == pytest.approx(spread, rel=0.05)


def test_kinds_have_spreads_of_their_own(recorded):
    transfers = recorded[recorded["benchmark"].eq(EXISTING)]
    large = transfers["nbytes"].ge(4 << 20)
    spreads = transfers.groupby(["memory", large], observed=True)["log_sd"].agg(
        ["nunique", "first"]
    )
    assert (spreads["nunique"] == 1).all()
    assert spreads["first"].nunique() == 4
    assert spreads["first"]["pinned", True] < 0.01 < spreads["first"]["pageable", True]
    assert (recorded["seconds_low_99"] < recorded["seconds"]).all()
    assert (recorded["seconds"] < recorded["seconds_high_99"]).all()


def test_processes_and_their_spread_are_those_of_the_samples(recorded):
    data = json.loads((VERSION_1 / "nvidia-h200/0d3bb95a-existing-py3.12.json").read_text())
    samples = data["results"][EXISTING][data["result_columns"].index("samples")]
    first, second = numpy.median(samples[3][:25]), numpy.median(samples[3][25:])
    row = recorded[recorded["benchmark"].eq(EXISTING)].iloc[3]
    assert row["processes"] == row["processes_quiet"] == 2
    assert row["process_spread"] == pytest.approx(max(first, second) / min(first, second) - 1)


def test_two_points_differ_or_do_not(recorded):
    rows = recorded[recorded["benchmark"].eq(EXISTING) & recorded["nbytes"].eq(1024)]
    fast = rows[rows["method"].eq("cuda-python") & rows["dtype"].eq("float32")].iloc[0]
    slow = rows[rows["method"].eq("pycuda") & rows["dtype"].eq("float32")].iloc[0]
    assert intervals.differ(fast, slow)
    assert not intervals.differ(fast, fast)
    assert not intervals.differ(fast, {**slow, "log_sd": NAN})


def spoil(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_what_cannot_be_read_is_named(tmp_path, recorded):
    for index, machine in enumerate("abcdef"):
        derived.result(tmp_path, machine, COMMIT, index)
    name = f"{COMMIT[:8]}-existing-py3.12.json"
    (tmp_path / "a" / name).write_text("not JSON")
    spoil(tmp_path / "b" / "machine.json", '"machine"', '"machina"')
    (tmp_path / "c" / name).with_suffix(".noise.jsonl").write_text("{}\n")
    spoil(tmp_path / "d" / name, "reference.Link.time_link", "reference.Link.time_no_more")
    spoil(tmp_path / "e" / name, '"1", 1795402365500', '"0", 1795402365500')  # Link's version
    spoil(tmp_path / "f" / name, '["1024", "8192"', '["1024 + ", "8192"')
    (tmp_path / "g").mkdir()
    (tmp_path / "g" / name).write_text("{}")
    table, left_out = points.load(tmp_path)
    text = "\n".join(sorted(left_out))
    for line in (
        f"a/{name}: Error parsing JSON",
        "b: machine.json is missing or broken",
        f"c/{name}: its noise file is broken, so its noise",
        f"d/{name}: reference.Link.time_no_more: no such benchmark any more",
        f"e/{name}: reference.Link.time_link: an older version",
        f"f/{name}: reference.Link.time_link: ",
        "g: machine.json is missing or broken",
    ):
        assert line in text
    assert str(tmp_path) not in text
    assert set(table["machine"]) == {"c", "d", "e", "f"}
    noiseless = table[table["machine"].eq("c")]
    assert noiseless["seconds"].notna().all()
    assert noiseless["seconds_low_99"].isna().all()
    assert (noiseless["processes"] == 0).all()
    assert len(table[table["machine"].eq("d")]) == len(recorded) - 7


def test_no_results_are_an_empty_table(tmp_path):
    derived.recorded(tmp_path)
    table, left_out = points.load(tmp_path)
    assert list(table.columns) == points.COLUMNS
    assert len(table) == len(left_out) == 0


def test_only_some_runs(tmp_path):
    for machine in "ab":
        for commit in "c0ffee00", "decaf000":
            derived.result(tmp_path, machine, commit * 5, 1)
    table, left_out = points.load(tmp_path, [("b", "decaf000" * 5, "existing-py3.12")])
    assert not left_out
    assert set(zip(table["machine"], table["commit"], strict=True)) == {("b", "decaf000" * 5)}
    assert table["seconds_low_99"].notna().all()


def test_many_results_are_the_same_table(tmp_path, monkeypatch):
    for index in range(4):
        derived.result(tmp_path, "m", f"{index}" * 40, index)
    one, _ = points.load(tmp_path)
    monkeypatch.setattr(processors, "MANY", 2)
    shared, _ = points.load(tmp_path)
    pandas.testing.assert_frame_equal(one, shared)


def test_one_file_is_not_both_kinds(tmp_path, capsys):
    with pytest.raises(SystemExit):
        points_command.main(["--csv", str(tmp_path / "p"), "--parquet", str(tmp_path / "p")])
    assert capsys.readouterr().err.endswith("p cannot be both\n")
    assert not list(tmp_path.iterdir())
