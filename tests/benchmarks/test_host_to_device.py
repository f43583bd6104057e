"""The subject, through methods whose device is the host: what is sent, checked and kept."""

import json

import numpy
import pytest
from asv_runner.benchmarks.mark import SkipNotImplemented

from benchmarks import device, host_to_device, in_turn, methods, visit
from benchmarks.host_to_device import existing_array, new_array
from tests.benchmarks.fakes import method

OPERATIONS = [existing_array, new_array]
LEVEL = 1.0
POINT = "pageable", "float32", 65536


def measured(operation, asked, capsys, point=POINT):
    """The first sample of `asked`, or what was raised; and what the note says of the series."""
    transfers = host_to_device.transfers.__wrapped__(operation, LEVEL, asked, *point)
    try:
        got = next(transfers)
    except Exception as error:
        got = error
    (line,) = capsys.readouterr().out.splitlines()
    return got, json.loads(line.removeprefix("note: "))["series"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_all_methods_are_measured_whichever_is_asked_for(operation, fake, capsys):
    fake(a=method("a"), b=method("b"), c=method("c"))
    got, series = measured(operation, "b", capsys)
    assert set(series) == {"a", "b", "c"}
    assert all(len(told["seconds"]) == 25 for told in series.values())
    assert got == series["b"]["seconds"][0]


@pytest.mark.parametrize(("nbytes", "samples"), [(1 << 25, 25), (1 << 28, 15)])
def test_huge_transfers_have_fewer_rounds(nbytes, samples):
    benchmark = host_to_device.HostToDevice()
    benchmark.setup(LEVEL, "torch", "pinned", "float32", nbytes)
    assert benchmark.repeat == host_to_device.samples_of(nbytes) == samples


def spoilt(array):
    array.view("uint8")[-1] ^= 1
    return array


def spoils_existing(host):
    made = numpy.empty_like(host)
    return made, lambda: spoilt(numpy.copyto(made, host) or made)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_method_that_brings_one_wrong_byte_fails_alone(operation, fake, capsys):
    wrong = {"new_array": lambda host: lambda: spoilt(host.copy())}
    wrong["existing_array"] = spoils_existing
    fake(good=method("good"), bad=method("bad", **wrong))
    got, series = measured(operation, "bad", capsys)
    assert str(got) == "wrong bytes arrived: 1 of 65536"
    assert "wrong bytes arrived" in series["bad"]["failed"]
    assert len(series["good"]["seconds"]) == 25


def test_transfers_that_stop_moving_are_found(fake, capsys, monkeypatch):
    """The bytes after the last round are the rounds' own, not those of an earlier transfer."""
    moving = [True]

    def existing(host):
        made = numpy.empty_like(host)
        return made, lambda: moving[0] and numpy.copyto(made, host)

    def rounds_of(*args):
        moving[0] = False
        return in_turn.rounds_of(*args)

    monkeypatch.setattr(visit, "rounds_of", rounds_of)
    fake(a=method("a", existing_array=existing), b=method("b"))
    got, series = measured(existing_array, "a", capsys)
    assert "wrong bytes arrived: 65536 of 65536" in str(got)
    assert len(series["b"]["seconds"]) == 25


def series_of(operation, name, point=POINT):
    return host_to_device.series(operation, name, *point)


def test_new_arrays_in_memory_that_has_the_bytes_already_must_bring_others(
    fake,
    capsys,
):
    """As a library's would lie where another one's array was released."""
    last = []

    def keeps(host):
        def new():
            last[:] = [host.copy()]
            return last[0]

        return new

    fake(a=method("a", new_array=keeps), b=method("b", new_array=lambda host: lambda: last[0]))
    got, series = measured(new_array, "b", capsys)
    assert "wrong bytes arrived" in str(got)
    assert len(series["a"]["seconds"]) == 25


def test_all_methods_send_one_pageable_source_and_pinned_ones_of_their_own(
    fake,
):
    sent = []
    spies = {
        name: method(name, new_array=lambda host: sent.append(host) or host.copy) for name in "ab"
    }
    fake(**spies)
    for memory in "pageable", "pinned":
        for name in "ab":
            series_of(new_array, name, (memory, "float32", 65536))
    assert sent[0] is sent[1]
    assert sent[2] is not sent[3]


def test_new_arrays_have_neighbours_with_a_gap(fake):
    released = []

    class Made:
        count = 0

        def __init__(self):
            self.number = Made.count
            Made.count += 1

        def __del__(self):
            released.append(self.number)

    fake(a=method("a", new_array=lambda host: Made))
    small = series_of(new_array, "a", ("pageable", "uint8", 1024))
    assert [one.number for one in small.keep] == [0, 1, 3, 4, 5]
    assert released[:2] == [2, 6]  # the gap is there before the first that is timed
    large = series_of(new_array, "a", ("pageable", "uint8", 4 << 20))
    assert len(large.keep) == 1


def missing():
    raise ModuleNotFoundError("No module named 'b'", name="b")


def test_a_library_that_is_missing_stops_no_other(fake, capsys):
    fake(a=method("a"), b=method("b", load=missing))
    got, series = measured(new_array, "b", capsys)
    assert isinstance(got, SkipNotImplemented)
    assert series["b"] == {"skipped": "b is not installed (no module b)"}
    assert len(series["a"]["seconds"]) == 25


def test_memory_that_is_not_what_its_label_says_is_a_failure(
    fake,
    capsys,
    monkeypatch,
):
    fake(a=method("a"), b=method("b"))
    monkeypatch.setattr(device, "memory_kind", lambda host: "pageable")
    monkeypatch.setattr(device, "require_memory", REQUIRE)
    got, series = measured(new_array, "a", capsys, ("pinned", "uint8", 1024))
    assert str(got) == "a gave pageable memory where pinned was asked for"
    assert set(series["a"]) == set(series["b"]) == {"failed"}


REQUIRE = device.require_memory


def test_every_method_has_what_the_contract_asks_for():
    owed = set(methods.Method.__annotations__) | {
        name for name in vars(methods.Method) if not name.startswith("_")
    }
    for name in methods.REGISTRY:
        assert owed <= set(vars(methods.module(name))), name
