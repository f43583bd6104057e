"""What needs no GPU of the references: the host's copy, the floor, the reasons."""

import json
import sys
import time
import types

import numpy
import pytest
from asv_runner.benchmarks.mark import SkipNotImplemented

from benchmarks import checks, methods, reference
from benchmarks.methods import cuda_python
from tests.benchmarks.fakes import Error, method

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


@pytest.fixture
def linked(cuda, monkeypatch):
    """The CUDA of the host, whose streams need no holding back: they wait until waited for."""
    monkeypatch.setattr(reference, "holder", lambda stream: lambda: lambda: None)
    return cuda


LINKS = [reference.busy_link, reference.busy_link_back]


def measure(series):
    """As a visit does it."""
    checks.change(series.source)
    series.place()
    series.sample()
    series.check()


@pytest.mark.parametrize("link", LINKS)
def test_the_link_brings_every_byte_there_and_back(link, linked):
    series = link(4096)
    assert series.sample() == pytest.approx(1e-3 / series.count)
    measure(series)
    assert list(linked.pinned.values()) == [4096]


@pytest.mark.parametrize("link", LINKS)
def test_a_link_that_moves_too_little_is_found(link, linked, monkeypatch):
    copy = linked.cudaMemcpyAsync
    monkeypatch.setattr(linked, "cudaMemcpyAsync", lambda t, s, n, *rest: copy(t, s, n - 1, *rest))
    with pytest.raises(ValueError, match="wrong bytes arrived: 1 of 4096"):
        measure(link(4096))


def test_an_array_that_is_there_is_registered_and_released(cuda):
    series = reference.registering(4096)
    assert series.take(2) > 0
    assert cuda.registered == {}
    series.check()


def test_what_registering_does_not_lock_is_no_time(cuda, monkeypatch):
    done = (Error.cudaSuccess,)
    monkeypatch.setattr(cuda, "cudaHostRegister", lambda *words: done)
    with pytest.raises(TypeError, match="cudaHostRegister gave pageable memory where pinned"):
        reference.registering(4096)


def test_what_is_not_released_is_no_time(cuda, monkeypatch):
    series = reference.registering(4096)
    monkeypatch.setattr(cuda, "cudaHostUnregister", lambda address: (Error.cudaSuccess,))
    with pytest.raises(RuntimeError, match="AlreadyRegistered"):
        series.take(2)


def test_an_array_of_its_own_pages_shares_none(cuda):
    """Many are registered at once, wherever the allocator puts them."""
    arrays = [cuda_python.own_pages(100) for _ in range(50)]
    locked = [cuda_python.Registered(array) for array in arrays]
    assert {array.nbytes for array in arrays} == {100}
    assert len(cuda.registered) == 50
    locked.clear()
    assert cuda.registered == {}


def test_what_is_released_is_released_once(cuda, monkeypatch):
    calls, unregister = [], cuda.cudaHostUnregister
    spy = lambda address: calls.append(address) or unregister(address)  # noqa: E731
    monkeypatch.setattr(cuda, "cudaHostUnregister", spy)
    locked = cuda_python.Registered(numpy.empty(100, "uint8"))
    locked.release()
    del locked
    assert len(calls) == 1


@pytest.mark.parametrize("slow", ["cudaHostRegister", "cudaHostUnregister"])
def test_registering_is_locking_and_releasing(slow, cuda, monkeypatch):
    real = getattr(cuda, slow)

    def slowly(*words):
        time.sleep(0.002)
        return real(*words)

    monkeypatch.setattr(cuda, slow, slowly)
    assert reference.registering(4096).take(1) > 0.002
