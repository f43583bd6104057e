"""Many small arrays, through methods whose device is the host: each arrives, by each way."""

import json
import types

import numpy
import pytest

from benchmarks import device, many_arrays, methods, series
from tests.benchmarks.conftest import REQUIRE
from tests.benchmarks.fakes import method

LEVEL = 1.0
NBYTES = 256


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(series, "SAMPLE_SECONDS", 1e-5)


def measured(asked, capsys):
    """The first sample of `asked`, or what was raised; and what the note says."""
    taken = many_arrays.sendings.__wrapped__(LEVEL, asked, NBYTES)
    try:
        got = next(taken)
    except Exception as error:
        got = error
    (line,) = capsys.readouterr().out.splitlines()
    return got, json.loads(line.removeprefix("note: "))


def failed(note):
    return {way for way, told in note["series"].items() if "failed" in told}


@pytest.fixture
def use(fake):
    """use(b): the methods are `cuda-python` and b."""

    def both(b):
        fake(**{"cuda-python": method("cuda-python"), "b": b})

    return both


def test_the_ways_are_each_librarys_and_one_that_packs():
    names = many_arrays.ManyArrays.params[0]
    each = {f"{way} {name}" for way in ("one-by-one", "queued") for name in methods.REGISTRY}
    assert set(names) == each | {"packed cuda-python"}


def test_a_visit_measures_all_ways_of_a_size_in_turn(use, capsys):
    use(method("b"))
    got, note = measured("queued b", capsys)
    assert note["parameter"] == "way"
    assert set(note["series"]) == set(many_arrays.ways())
    assert all(len(told["seconds"]) == 25 for told in note["series"].values())
    assert got == note["series"]["queued b"]["seconds"][0]


@pytest.mark.parametrize(
    ("function", "way"), [("existing_array", "one-by-one b"), ("queued_array", "queued b")]
)
def test_a_way_that_brings_one_wrong_byte_of_one_array_fails_alone(function, way, use, capsys):
    calls = []

    def spoils_one(host):
        calls.append(host)
        made, number = numpy.empty_like(host), len(calls)

        def copy():
            numpy.copyto(made, host)
            made[7] ^= number == 100

        return made, copy

    use(method("b", **{function: spoils_one}))
    got, note = measured(way, capsys)
    assert str(got) == "wrong bytes arrived: 1 of 65536"
    assert failed(note) == {way}


def test_packing_is_a_part_of_what_is_timed(use, capsys, monkeypatch):
    """The arrays change before the rounds: what was packed before would not arrive."""
    packed = []

    def once(arrays, out):
        if not packed:
            numpy.concatenate(arrays, out=out)
        packed.append(len(arrays))

    use(method("b"))
    other = types.SimpleNamespace(**{**vars(numpy), "concatenate": once})
    monkeypatch.setattr(many_arrays, "numpy", other)
    _, note = measured("packed cuda-python", capsys)
    assert set(packed) == {many_arrays.ARRAYS}
    assert failed(note) == {"packed cuda-python"}


def test_seconds_are_those_of_one_array_and_a_sample_is_of_all(use, monkeypatch):
    use(method("b"))
    monkeypatch.setattr(many_arrays, "timed", lambda send, wait, count: 0.256)
    one = many_arrays.series(many_arrays.one_by_one, "b", NBYTES)
    assert one.count == 1
    assert one.sample() == pytest.approx(0.001)


@pytest.mark.parametrize("make", [many_arrays.queued, many_arrays.packed])
def test_what_is_queued_or_packed_lies_in_pinned_memory(make, use, monkeypatch):
    use(method("b"))
    monkeypatch.setattr(device, "memory_kind", lambda host: "pageable")
    monkeypatch.setattr(device, "require_memory", REQUIRE)
    with pytest.raises(TypeError, match="b gave pageable memory where pinned was asked for"):
        many_arrays.series(make, "b", NBYTES)


def test_ordinary_arrays_do_not(use, monkeypatch):
    use(method("b"))
    monkeypatch.setattr(device, "memory_kind", lambda host: "pinned")
    monkeypatch.setattr(device, "require_memory", REQUIRE)
    with pytest.raises(TypeError, match="b gave pinned memory where pageable was asked for"):
        many_arrays.series(many_arrays.one_by_one, "b", NBYTES)


def test_all_of_them_are_queued_before_they_are_waited_for(use, monkeypatch):
    events = []
    use(method("b", queued_array=lambda host: (host, lambda: events.append("copy"))))
    monkeypatch.setattr(device, "wait", lambda: lambda: events.append("wait"))
    one = many_arrays.series(many_arrays.queued, "b", NBYTES)
    events.clear()
    one.take(2)
    assert events == 2 * [*["copy"] * many_arrays.ARRAYS, "wait"]


def test_a_library_that_is_missing_stops_no_other(use, capsys):
    def missing():
        raise ModuleNotFoundError("No module named 'b'", name="b")

    use(method("b", load=missing))
    _, note = measured("packed cuda-python", capsys)
    skipped = {name: told for name, told in note["series"].items() if "skipped" in told}
    reason = {"skipped": "b is not installed (no module b)"}
    assert skipped == {"one-by-one b": reason, "queued b": reason}
    assert failed(note) == set()
