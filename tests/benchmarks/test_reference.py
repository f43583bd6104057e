"""What needs no GPU of the references: the host's copy, the floor, the reasons."""

import json
import sys
import types

import pytest
from asv_runner.benchmarks.mark import SkipNotImplemented

from benchmarks import methods, reference
from benchmarks.methods import cuda_python
from tests.benchmarks.fakes import method

LEVEL = 1.0


def note(capsys):
    return json.loads(capsys.readouterr().out.removeprefix("note: "))


def test_a_reference_is_a_visit_of_its_own_series(capsys):
    taken = reference.samples(LEVEL, "copy", 25, reference.host_copy, "float32", 1024)
    first = next(taken)
    told = note(capsys)
    assert (told["asked"], told["parameter"]) == ("copy", None)
    assert told["series"]["copy"]["seconds"][0] == first
    assert set(told["series"]) == {"copy"}


def test_every_array_is_pinned_anew_and_the_pool_emptied(fake, capsys):
    events = []
    pinned = lambda n, dtype: events.append("pinned")  # noqa: E731
    fake(a=method("a", pinned=pinned, empty_pinned_pool=lambda: events.append("emptied")))
    next(reference.samples(LEVEL, "a", 25, reference.pinning, "a", 1024))
    assert events[0] == "emptied"
    assert events[1::2] == len(events[1::2]) * ["pinned"]
    assert events[2::2] == len(events[2::2]) * ["emptied"]
    assert set(note(capsys)["series"]) == {"a"}


def test_pinning_is_not_available_where_a_pool_cannot_be_emptied(fake, capsys):
    def cannot():
        raise methods.Unusable("this torch cannot empty its pool of pinned memory")

    fake(a=method("a", empty_pinned_pool=cannot))
    with pytest.raises(SkipNotImplemented, match="cannot empty its pool"):
        next(reference.samples(LEVEL, "a", 25, reference.pinning, "a", 2048))


class Gate(list):
    ctypes = types.SimpleNamespace(data=0)


@pytest.fixture
def bindings(monkeypatch):
    """As much of cuda.bindings.driver as holds a stream back; it answers what it is told to."""
    driver = types.ModuleType("cuda.bindings.driver")
    driver.answer = 0
    driver.CUstreamWaitValue_flags = types.SimpleNamespace(CU_STREAM_WAIT_VALUE_EQ=1)
    driver.cuStreamWaitValue32 = lambda *args: (driver.answer,)
    there = types.ModuleType("cuda.bindings")
    there.driver = driver
    for name, module in ("cuda", types.ModuleType("cuda")), ("cuda.bindings", there):
        monkeypatch.setitem(sys.modules, name, module)
    driver.gate = Gate([None])
    monkeypatch.setattr(cuda_python, "pinned", lambda n, dtype: driver.gate)
    return driver


def test_the_link_is_not_available_where_no_stream_can_be_held_back(bindings):
    bindings.answer = reference.NOT_SUPPORTED
    with pytest.raises(SkipNotImplemented, match="cannot hold a stream back"):
        reference.holder("stream")()


def test_a_stream_is_let_go_with_the_number_it_waits_for(bindings, monkeypatch):
    asked = []

    def wait_value(stream, address, value, flags):
        asked.append(value)
        return (0,)

    bindings.cuStreamWaitValue32 = wait_value
    monkeypatch.setattr(reference.device, "driver", lambda: None)
    hold_back = reference.holder("stream")
    for number in 1, 2, 3:
        let_go = hold_back()
        assert (asked[-1], bindings.gate[0]) == (number, number - 1)
        let_go()
        assert bindings.gate[0] == number
