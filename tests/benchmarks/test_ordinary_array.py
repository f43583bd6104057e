"""The ways of an ordinary array, through a CUDA whose device is the host: what is sent, and how."""

import gc
import json
import os
import resource
import sys
import types

import numpy
import pytest
from asv_runner.benchmarks.mark import SkipNotImplemented

from benchmarks import checks, methods, ordinary_array, series, visit
from benchmarks.methods import cuda_python
from benchmarks.ordinary_array import INTO, WAYS
from tests.benchmarks.fakes import Error, Tensor

LEVEL = 1.0
NBYTES = 65536
THREADS = ["staged-4-threads", "staged-8-threads"]
REGISTERED = ["registered-each-time", "registered"]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Short visits, chunks that are soon full, a torch, and cores enough for all the threads."""
    monkeypatch.setattr(series, "SAMPLE_SECONDS", 1e-5)
    monkeypatch.setattr(ordinary_array, "CHUNK", 4096)
    torch = types.ModuleType("torch")
    torch.version, torch.from_numpy = types.SimpleNamespace(cuda="13.0"), Tensor
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(ordinary_array, "sched_getaffinity", lambda pid: set(range(8)))


def measured(asked, capsys, nbytes=NBYTES, apart=NBYTES):
    """The first sample of `asked`, or what was raised; and what the note says."""
    taken = ordinary_array.sendings.__wrapped__(LEVEL, asked, nbytes, apart)
    try:
        got = next(taken)
    except Exception as error:
        got = error
    (line,) = capsys.readouterr().out.splitlines()
    return got, json.loads(line.removeprefix("note: "))


def failed(note):
    """{way: the last line of its failure}"""
    told = note["series"].items()
    return {way: one["failed"].splitlines()[-1] for way, one in told if "failed" in one}


def skipped(note):
    return {way: one["skipped"] for way, one in note["series"].items() if "skipped" in one}


@pytest.mark.parametrize("nbytes", [8, 4096, 4104, 3 * 4096 + 8, NBYTES])
@pytest.mark.parametrize("way", INTO)
def test_a_way_brings_every_byte_whatever_the_size(way, nbytes, cuda):
    """Twice, so that what is left of the first array is in the buffers."""
    _, target = cuda.cudaMalloc(nbytes)
    send = INTO[way](target, nbytes)
    array = numpy.empty(nbytes, "uint8")
    for _ in range(2):
        checks.fill(array)
        send(array)
        cuda.cudaDeviceSynchronize()
        assert bytes(cuda.memory[target])[:nbytes] == array.tobytes()


def test_a_visit_measures_all_ways_of_a_size_in_turn(cuda, capsys):
    got, note = measured("staged", capsys)
    assert note["parameter"] == "way"
    assert set(note["series"]) == set(WAYS)
    assert all(len(told["seconds"]) == 25 for told in note["series"].values()), failed(note)
    assert got == note["series"]["staged"]["seconds"][0]


def test_ways_that_move_too_little_fail_alone(cuda, capsys, monkeypatch):
    copy = cuda.cudaMemcpyAsync
    monkeypatch.setattr(cuda, "cudaMemcpyAsync", lambda t, s, n, *rest: copy(t, s, n - 1, *rest))
    got, note = measured("staged-chunks", capsys)
    wrong = failed(note)
    assert set(wrong) == {"staged-chunks", *THREADS}
    assert all("wrong bytes arrived: 16 of 65536" in line for line in wrong.values())
    assert str(got) == "wrong bytes arrived: 16 of 65536"


def test_a_torch_that_moves_too_little_fails_alone(cuda, capsys, monkeypatch):
    monkeypatch.setattr(Tensor, "pin_memory", lambda tensor: Tensor(numpy.zeros_like(tensor.array)))
    _, note = measured("direct", capsys)
    assert set(failed(note)) == {"pin-memory"}


def test_what_stops_moving_in_mid_rounds_is_found(cuda, capsys, monkeypatch):
    moving, rounds_of = [True], visit.rounds_of
    monkeypatch.setattr(visit, "rounds_of", lambda *args: moving.clear() or rounds_of(*args))
    copy, done = cuda.cudaMemcpy, (Error.cudaSuccess,)
    monkeypatch.setattr(cuda, "cudaMemcpy", lambda *args: copy(*args) if moving else done)
    _, note = measured("direct", capsys)
    assert set(failed(note)) == {"direct", "staged", *REGISTERED}


def test_a_library_that_is_missing_is_said_of_its_ways_alone(cuda, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    got, note = measured("pin-memory", capsys)
    assert isinstance(got, SkipNotImplemented)
    assert skipped(note) == {"pin-memory": "torch is not installed (no module torch)"}
    assert failed(note) == {}


def test_a_torch_alone_has_its_own_way(cuda, capsys, monkeypatch):
    def missing():
        raise ModuleNotFoundError("No module named 'cuda'", name="cuda")

    monkeypatch.setattr(ordinary_array.cuda_python, "load", missing)
    got, note = measured("pin-memory", capsys)
    assert set(skipped(note).values()) == {"cuda-python is not installed (no module cuda)"}
    assert set(skipped(note)) == set(INTO)
    assert got == note["series"]["pin-memory"]["seconds"][0]


@pytest.mark.parametrize(("cores", "without"), [(1, THREADS), (7, THREADS[1:]), (8, [])])
def test_threads_want_a_core_each(cores, without, cuda, capsys, monkeypatch):
    monkeypatch.setattr(ordinary_array, "sched_getaffinity", lambda pid: set(range(cores)))
    _, note = measured("direct", capsys)
    assert list(skipped(note)) == without
    for way, reason in skipped(note).items():
        has = f"this process has {cores} near the GPU"
        assert reason == f"{way.split('-')[1]} threads want as many cores, {has}"


@pytest.mark.parametrize(
    ("limit", "said"), [(65536, " (ulimit -l: 64 KiB)"), (resource.RLIM_INFINITY, "")]
)
def test_a_system_that_lets_nothing_be_registered(limit, said, cuda, capsys, monkeypatch):
    refuse = (Error.cudaErrorNotSupported,)
    monkeypatch.setattr(cuda, "cudaHostRegister", lambda *words: refuse)
    monkeypatch.setattr(resource, "getrlimit", lambda what: (limit, limit))
    _, note = measured("direct", capsys)
    reason = f"an array cannot be registered here: cudaErrorNotSupported{said}"
    assert skipped(note) == dict.fromkeys(REGISTERED, reason)
    assert failed(note) == {}


def test_registering_that_goes_wrong_is_a_failure(cuda, capsys, monkeypatch):
    wrong = (Error.cudaErrorInvalidValue,)
    monkeypatch.setattr(cuda, "cudaHostRegister", lambda *words: wrong)
    _, note = measured("direct", capsys)
    assert set(failed(note)) == set(REGISTERED)


def test_a_read_only_array_that_cannot_be_registered_is_said(cuda, monkeypatch):
    monkeypatch.setattr(cuda, "cudaHostRegister", lambda *words: (Error.cudaErrorInvalidValue,))
    array = numpy.zeros(NBYTES, numpy.uint8)
    array.flags.writeable = False
    with pytest.raises(methods.Unusable, match=r"a read-only array cannot be registered: .*Value"):
        cuda_python.Registered(array)


def test_what_is_registered_is_released(cuda, capsys):
    made = {way: ordinary_array.series(way, NBYTES, NBYTES) for way in REGISTERED}
    assert len(cuda.registered) == 1  # the one that stays so
    for one in made.values():
        one.sample()
        one.check()
    made.clear()
    del one
    gc.collect()
    assert cuda.registered == {}


def test_an_array_that_is_not_released_is_a_failure(cuda, capsys, monkeypatch):
    keep = (Error.cudaSuccess,)
    monkeypatch.setattr(cuda, "cudaHostUnregister", lambda address: keep)
    _, note = measured("direct", capsys)
    assert failed(note)["registered-each-time"].endswith("cudaErrorHostMemoryAlreadyRegistered")


def test_an_ordinary_array_in_pinned_memory_is_a_failure(cuda, capsys, monkeypatch):
    monkeypatch.setattr(ordinary_array, "pageable", ordinary_array.pinned)
    _, note = measured("direct", capsys)
    wrong = failed(note)
    assert set(wrong) == set(WAYS) - {"registered"}
    assert wrong["staged"] == "TypeError: staged gave pinned memory where pageable was asked for"


def test_out_of_the_cache_each_array_is_another(cuda, monkeypatch):
    """Whichever way sends it: what one has sent, the next one would find in the cache."""
    sent = []
    spy = lambda target: lambda array: sent.append(array.ctypes.data)  # noqa: E731
    monkeypatch.setitem(INTO, "direct", lambda target, nbytes: spy(target))
    monkeypatch.setitem(INTO, "staged", lambda target, nbytes: spy(target))
    both = [ordinary_array.series(way, 4096, 8 * 4096) for way in ("direct", "staged")]
    sent.clear()
    for _ in range(2):
        for one in both:
            one.take(2)
    assert len(set(sent)) == 8
    whole = both[0].source
    assert whole is both[1].source
    assert {address - whole.ctypes.data for address in sent} == set(range(0, 8 * 4096, 4096))


def test_in_the_cache_it_is_one_array(cuda):
    arrays = ordinary_array.shared(NBYTES, NBYTES)
    assert len({next(arrays).ctypes.data for _ in range(5)}) == 1


def test_the_sizes_say_what_is_out_of_the_cache():
    of_cold = ordinary_array.OrdinaryArray.time_cold.params
    assert of_cold == [WAYS, [ordinary_array.COLD]]
    assert ordinary_array.COLD in ordinary_array.NBYTES
    assert ordinary_array.APART % ordinary_array.COLD == 0


def test_threads_run_near_the_gpu_and_leave_the_process_its_core(cuda, monkeypatch):
    near = os.sched_getaffinity(0)
    monkeypatch.setattr(ordinary_array, "sched_getaffinity", os.sched_getaffinity)
    ran = []
    spy = lambda address: lambda part: ran.append((os.sched_getaffinity(0), part.nbytes))  # noqa: E731
    monkeypatch.setattr(ordinary_array, "staged_chunks", spy)
    send = ordinary_array.staged_threads(len(near), 0, NBYTES)
    own = {min(near)}
    os.sched_setaffinity(0, own)
    try:
        send(numpy.empty(NBYTES, "uint8"))
        assert os.sched_getaffinity(0) == own
    finally:
        os.sched_setaffinity(0, near)
    assert [cores for cores, _ in ran] == [near] * len(near)
    assert sum(nbytes for _, nbytes in ran) == NBYTES
