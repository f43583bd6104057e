"""The way back, through methods whose device is the host: what comes back is what is there."""

import json

import numpy
import pytest

from benchmarks import device, device_to_host, methods, series, visit
from benchmarks.device_to_host import existing_array, new_array
from tests.benchmarks.conftest import REQUIRE
from tests.benchmarks.fakes import method

LEVEL = 1.0
NBYTES = 65536
WHERE = [(existing_array, "pageable"), (existing_array, "pinned"), (new_array, "pageable")]
each_way = pytest.mark.parametrize(("operation", "memory"), WHERE)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(series, "SAMPLE_SECONDS", 1e-5)


def measured(operation, memory, asked, capsys):
    """The first sample of `asked`, or what was raised; and what the note says of the series."""
    taken = device_to_host.transfers.__wrapped__(operation, LEVEL, asked, memory, NBYTES)
    try:
        got = next(taken)
    except Exception as error:
        got = error
    (line,) = capsys.readouterr().out.splitlines()
    return got, json.loads(line.removeprefix("note: "))["series"]


@each_way
def test_all_methods_are_measured_whichever_is_asked_for(operation, memory, fake, capsys):
    fake(a=method("a"), b=method("b"), c=method("c"))
    got, told = measured(operation, memory, "b", capsys)
    assert {name: len(one["seconds"]) for name, one in told.items()} == dict.fromkeys("abc", 25)
    assert got == told["b"]["seconds"][0]


def spoilt(array):
    array.view("uint8")[-9] ^= 1
    return array


@each_way
def test_a_method_that_brings_one_wrong_byte_fails_alone(operation, memory, fake, capsys):
    wrong = {
        "new_host": lambda made: lambda: spoilt(made.copy()),
        "existing_host": lambda made, host: lambda: spoilt(numpy.copyto(host, made) or host),
    }
    fake(good=method("good"), bad=method("bad", **wrong))
    got, told = measured(operation, memory, "bad", capsys)
    assert str(got) == "wrong bytes arrived: 1 of 65536"
    assert "wrong bytes arrived" in told["bad"]["failed"]
    assert len(told["good"]["seconds"]) == 25


@each_way
def test_a_method_that_brings_what_was_there_once_fails_alone(operation, memory, fake, capsys):
    """As one would that keeps what it has brought back before."""

    def stale(made, host):
        old = made.copy()
        return lambda: numpy.copyto(host, old)

    wrong = {"new_host": lambda made: made.copy().copy, "existing_host": stale}
    fake(good=method("good"), bad=method("bad", **wrong))
    got, told = measured(operation, memory, "bad", capsys)
    assert "wrong bytes" in str(got)
    assert len(told["good"]["seconds"]) == 25


@pytest.mark.parametrize("memory", ["pageable", "pinned"])
def test_transfers_that_stop_moving_are_found(memory, fake, capsys, monkeypatch):
    """Also where another method's bytes are in the array that all of them write into."""
    moving, rounds_of = [True], visit.rounds_of

    def existing_host(made, host):
        return lambda: moving and numpy.copyto(host, made)

    def stopped(*args):
        moving.clear()
        try:
            return rounds_of(*args)
        finally:
            moving.append(True)

    monkeypatch.setattr(visit, "rounds_of", stopped)
    fake(a=method("a", existing_host=existing_host), b=method("b"))
    got, told = measured(existing_array, memory, "a", capsys)
    assert "wrong bytes" in str(got)
    assert len(told["b"]["seconds"]) == 25


def test_all_methods_write_into_one_pageable_array_and_pinned_ones_of_their_own(fake):
    into = []

    def existing_host(made, host):
        into.append(host)
        return lambda: numpy.copyto(host, made)

    fake(**{name: method(name, existing_host=existing_host) for name in "ab"})
    for memory in "pageable", "pinned":
        for name in "ab":
            device_to_host.series(existing_array, name, memory, NBYTES)
    assert into[0] is into[1]
    assert into[2] is not into[3]


@each_way
def test_memory_that_is_not_what_its_label_says_is_a_failure(
    operation, memory, fake, capsys, monkeypatch
):
    other = {"pageable": "pinned", "pinned": "pageable"}[memory]
    fake(a=method("a"))
    monkeypatch.setattr(device, "memory_kind", lambda host: other)
    monkeypatch.setattr(device, "require_memory", REQUIRE)
    got, _ = measured(operation, memory, "a", capsys)
    assert str(got) == f"a gave {other} memory where {memory} was asked for"


def test_what_is_made_is_made_each_time_and_released(fake):
    made = []

    class Made:
        def __init__(self):
            made.append(self.__class__)

        def __del__(self):
            made.append("released")

    fake(a=method("a", new_host=lambda device: Made))
    one = device_to_host.series(new_array, "a", "pageable", 1024)
    made.clear()
    one.take(3)
    assert made == [Made, "released"] * 3


def test_new_arrays_are_pageable_alone():
    benchmark = device_to_host.DeviceToHost
    assert benchmark.time_new_array.params[1] == ["pageable"]
    assert benchmark.time_new_array.params[0] == benchmark.params[0] == list(methods.REGISTRY)
