"""On a real GPU: the ways of an ordinary array, many small ones, and the way back."""

import contextlib
import functools
import gc
import itertools
import json
import sys
from statistics import median
from time import perf_counter

import numpy
import pytest
from asv_runner.benchmarks.mark import SkipNotImplemented

from benchmarks import (
    checks,
    device,
    device_to_host,
    many_arrays,
    methods,
    ordinary_array,
    quiet_core,
    reasons,
    reference,
    visit,
)
from benchmarks.methods import cuda_python

pytestmark = pytest.mark.gpu

METHODS = list(methods.REGISTRY)
KIB, MIB = 1 << 10, 1 << 20


@pytest.fixture(scope="module")
def level():
    return quiet_core.quiet_level()


@pytest.fixture
def runtime():
    device.start()
    return methods.loaded("cuda-python").load()


def visited(samples, capsys):
    """The note of a visit: of all of its series, whichever was asked for."""
    with contextlib.closing(samples), contextlib.suppress(SkipNotImplemented):
        next(samples)
    lines = capsys.readouterr().out.splitlines()
    return json.loads(lines[-1].removeprefix("note: "))["series"]


def seconds(told):
    """{series: median seconds}; it fails if one of them failed, and prints what is n/a."""
    print({name: one["skipped"] for name, one in told.items() if "skipped" in one})
    assert {name: one["failed"] for name, one in told.items() if "failed" in one} == {}
    return {name: median(one["seconds"]) for name, one in told.items() if "seconds" in one}


def alone(level, name, make):
    """Median seconds of a visit of one series."""
    taken = visit.samples(level, name, {name: make}, 25)
    return median(itertools.islice(taken, 25))


CHUNK = ordinary_array.CHUNK


@pytest.mark.parametrize("nbytes", [8, 64 * KIB, CHUNK, CHUNK + 8, 5 * CHUNK + 4096 + 8])
@pytest.mark.parametrize("way", ordinary_array.INTO)
def test_a_way_brings_every_byte_whatever_the_size(way, nbytes, runtime):
    target, wait = cuda_python.DeviceArray(nbytes), device.wait()
    array = cuda_python.own_pages(nbytes)
    try:
        send = ordinary_array.INTO[way](target.pointer, nbytes)
    except methods.Unusable as reason:
        pytest.skip(str(reason))  # fewer cores than threads
    for _ in range(3):
        checks.fill(array)
        send(array)
        wait()
        checks.verify(array, device.parts(target.pointer, nbytes))
    assert device.memory_kind(array) == "pageable"


@pytest.mark.parametrize("nbytes", ordinary_array.NBYTES)
def test_the_ways_of_a_size(nbytes, level, capsys):
    taken = ordinary_array.sendings.__wrapped__(level, "direct", nbytes, nbytes)
    found = seconds(visited(taken, capsys))
    for way, one in found.items():
        print(f"{nbytes >> 10} KiB, {way}: {one:.2e} s, {nbytes / one / 1e9:.1f} GB/s")
    assert {way for way in ordinary_array.WAYS if "threads" not in way} <= set(found)
    if nbytes >= 4 * MIB:  # what is page-locked already is what the link carries
        assert found["registered"] < 0.7 * found["direct"]
        assert found["registered"] < found["registered-each-time"]
    gc.collect()
    assert not any(isinstance(one, cuda_python.Registered) for one in gc.get_objects())


def test_out_of_the_cache_a_pageable_array_takes_longer(level, capsys):
    nbytes = ordinary_array.COLD
    ratios = []
    for _ in range(3):  # in turn: the host drifts
        warm, cold = (
            seconds(visited(ordinary_array.sendings.__wrapped__(level, "direct", *of), capsys))
            for of in ((nbytes, nbytes), (nbytes, ordinary_array.APART))
        )
        ratios.append({way: cold[way] / warm[way] for way in warm})
    for way in ratios[0]:
        print(f"{way}: {median(one[way] for one in ratios):.2f} times as long from memory")
    assert median(one["staged"] for one in ratios) > 1.0
    assert median(one["registered"] for one in ratios) == pytest.approx(1, abs=0.2)


def test_ways_that_move_too_little_fail_alone(level, capsys, monkeypatch, runtime):
    copy = runtime.cudaMemcpyAsync
    monkeypatch.setattr(runtime, "cudaMemcpyAsync", lambda t, s, n, *rest: copy(t, s, n - 1, *rest))
    taken = ordinary_array.sendings.__wrapped__(level, "direct", 64 * KIB, 64 * KIB)
    told = visited(taken, capsys)
    failed = {way for way, one in told.items() if "failed" in one}
    assert "staged-chunks" in failed
    assert failed <= {"staged-chunks", "staged-4-threads", "staged-8-threads"}


def test_pinning_what_is_pinned_is_a_failure_and_no_number(level, capsys, monkeypatch):
    monkeypatch.setattr(ordinary_array, "pageable", lambda n, dtype: cuda_python.pinned(n, dtype))
    taken = ordinary_array.sendings.__wrapped__(level, "registered", 64 * KIB, 64 * KIB)
    told = visited(taken, capsys)
    assert {way for way, one in told.items() if "failed" not in one} == {"registered"}
    assert "pinned memory where pageable" in told["direct"]["failed"]


def test_what_is_registered_is_pinned_until_it_is_released(runtime):
    array = cuda_python.own_pages(MIB)
    checks.fill(array)
    for drop in (lambda locked: locked.release(), lambda locked: None):
        locked = cuda_python.Registered(array)
        assert device.memory_kind(array) == "pinned"
        drop(locked)
        del locked
        gc.collect()
        assert device.memory_kind(array) == "pageable"


def test_registering_twice_is_a_failure(runtime):
    array = cuda_python.own_pages(MIB)
    locked = cuda_python.Registered(array)
    with pytest.raises(RuntimeError) as raised:
        cuda_python.Registered(array)
    assert reasons.why_not(raised.value) is None
    locked.release()


@pytest.mark.parametrize("nbytes", [64 * KIB, 32 * MIB])
def test_registering_takes_a_time(nbytes, level, runtime):
    register = alone(level, "register", functools.partial(reference.registering, nbytes))
    pin = alone(level, "pin", functools.partial(reference.pinning, "cuda-python", nbytes))
    print(f"{nbytes >> 10} KiB: {register:.2e} s, cudaHostAlloc {pin:.2e} s")
    assert 1e-6 < register < 1


@pytest.mark.parametrize("method", METHODS)
def test_bytes_come_back_into_new_and_existing_arrays(method, runtime):
    library, wait = methods.loaded(method), device.wait()
    sent = numpy.empty(MIB // 4, "float32")
    made, copy = library.existing_array(sent)
    pinned = library.pinned(sent.size, "float32")
    for host in numpy.zeros_like(sent), pinned:
        back = library.existing_host(made, host)
        for _ in range(2):
            checks.fill(sent)
            copy()
            wait()
            back()
            wait()
            checks.verify(sent, checks.blocks(host))
    new = library.new_host(made)()
    wait()
    assert device.memory_kind(new) == "pageable"
    assert new.nbytes == MIB
    assert new.dtype in (numpy.float32, numpy.uint8)
    checks.verify(sent, checks.blocks(new))


@pytest.mark.parametrize("nbytes", [KIB, 4 * MIB, 256 * MIB])
@pytest.mark.parametrize(
    ("operation", "memory"),
    [
        (device_to_host.existing_array, "pageable"),
        (device_to_host.existing_array, "pinned"),
        (device_to_host.new_array, "pageable"),
    ],
)
def test_the_way_back(operation, memory, nbytes, level, capsys):
    taken = device_to_host.transfers.__wrapped__(operation, level, "torch", memory, nbytes)
    found = seconds(visited(taken, capsys))
    assert set(found) == set(METHODS)
    for method, one in found.items():
        print(f"{operation.__name__}, {memory}, {nbytes >> 10} KiB, {method}: {one:.2e} s")
    if memory == "pinned" and nbytes == 256 * MIB:
        back = alone(level, "back", functools.partial(reference.busy_link_back, nbytes))
        for method, one in found.items():
            print(f"{method}: {back / one:.4f} of the link back")
            assert 0.95 < back / one < 1.02


@pytest.mark.parametrize("memory", ["pageable", "pinned"])
def test_a_way_back_that_moves_too_little_fails_alone(memory, level, capsys, monkeypatch, runtime):
    to_host = runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
    monkeypatch.setattr(
        runtime,
        "cudaMemcpy",
        lambda to, source, nbytes, kind, real=runtime.cudaMemcpy: real(
            to, source, nbytes - (kind == to_host), kind
        ),
    )
    operation = device_to_host.existing_array
    taken = device_to_host.transfers.__wrapped__(operation, level, "torch", memory, 64 * KIB)
    told = visited(taken, capsys)
    assert {name for name, one in told.items() if "failed" in one} == {"cuda-python"}


def test_the_link_back_is_the_link(level, runtime):
    nbytes = 256 * MIB
    there = alone(level, "link", functools.partial(reference.busy_link, nbytes))
    back = alone(level, "back", functools.partial(reference.busy_link_back, nbytes))
    print(f"{nbytes / there / 1e9:.1f} GB/s to the device, {nbytes / back / 1e9:.1f} back")
    assert there / back == pytest.approx(1, abs=0.1)


PACKED = "packed cuda-python"


@pytest.mark.parametrize("nbytes", many_arrays.NBYTES)
def test_many_arrays(nbytes, level, capsys):
    found = seconds(visited(many_arrays.sendings.__wrapped__(level, PACKED, nbytes), capsys))
    for way, one in sorted(found.items(), key=lambda item: item[1]):
        print(f"{nbytes} bytes each, {way}: {1e6 * one:.2f} us an array")
    assert set(found) == set(many_arrays.ways())
    for method in METHODS:
        assert found[f"queued {method}"] < found[f"one-by-one {method}"]
    if nbytes <= 4 * KIB:
        assert found[PACKED] < min(found[f"queued {method}"] for method in METHODS)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_queued_arrives_in_each_array(method, runtime):
    library, wait = methods.loaded(method), device.wait()
    source = library.pinned(256 * KIB, "uint8")
    for _ in range(2):
        checks.fill(source)
        pairs = [library.queued_array(part) for part in numpy.split(source, 256)]
        for _, copy in pairs:
            copy()
        wait()
        arrived = (part for made, _ in pairs for part in device.parts(library.address(made), KIB))
        checks.verify(source, arrived)


def test_queueing_is_no_waiting(level, runtime):
    """A copy of 64 MiB takes a millisecond; who queues it does not."""
    wait = device.wait()
    for method in METHODS:
        library = methods.loaded(method)
        source = library.pinned(64 * MIB, "uint8")
        _, copy = library.queued_array(source)
        taken = []
        for _ in range(5):
            start = perf_counter()
            copy()
            queued = perf_counter()
            wait()
            taken.append((queued - start) / (perf_counter() - start))
        print(f"{method}: {100 * min(taken):.0f} % of the time is queueing")
        assert min(taken) < 0.5


def test_a_torch_that_is_missing_is_said_of_its_ways_alone(level, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    taken = ordinary_array.sendings.__wrapped__(level, "pin-memory", 64 * KIB, 64 * KIB)
    told = visited(taken, capsys)
    assert told["pin-memory"] == {"skipped": "torch is not installed (no module torch)"}
    assert "seconds" in told["direct"]
