"""How a process measures: which samples count, where it runs, what it notices."""

import json
import os

import numpy
import pytest
from asv_runner.benchmarks.mark import SkipNotImplemented
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import measure

noise = st.floats(0.5, 10)
seconds = st.floats(1e-9, 1)


@given(st.lists(st.tuples(noise, seconds), min_size=measure.SAMPLES, max_size=100))
def test_samples_are_chosen_by_the_sentinel_alone(taken):
    chosen = measure.quietest(taken)
    assert len(chosen) == measure.SAMPLES
    quiet = [sample for sample in taken if sample[0] <= measure.QUIET]
    assert chosen[: len(quiet)] == quiet[: measure.SAMPLES]  # in the order of their taking
    noisy = sorted(sample[0] for sample in taken if sample[0] > measure.QUIET)
    assert [sample[0] for sample in chosen[len(quiet) :]] == noisy[: len(chosen[len(quiet) :])]
    assert all(sample in taken for sample in chosen)


def seconds_of(taken):
    return [seconds for _, seconds in taken]


def quiet_ones(taken):
    return sum(noise <= measure.QUIET for noise, _ in taken)


def test_a_quiet_machine_takes_no_more_samples_than_it_needs():
    calls = []
    taken = measure.take_samples(lambda: calls.append(1) or len(calls), quiet=1.0)
    assert quiet_ones(taken) == measure.SAMPLES
    assert seconds_of(taken) == list(range(2, measure.SAMPLES + 2))  # the first only wakes


def test_the_search_for_a_quiet_core_ends(monkeypatch):
    monkeypatch.setattr(measure, "LIMIT_SECONDS", 0.2)
    before = os.sched_getaffinity(0)
    start = measure.perf_counter()
    taken = measure.take_samples(lambda: 1e-6, quiet=1e-12)
    assert 0.2 < measure.perf_counter() - start < 2
    assert (len(taken), quiet_ones(taken)) == (measure.SAMPLES, 0)
    assert os.sched_getaffinity(0) == before


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_a_process_moves_to_a_quiet_core(monkeypatch):
    busy, *_ = allowed = os.sched_getaffinity(0)
    here = lambda: os.sched_getaffinity(0)  # noqa: E731
    monkeypatch.setattr(measure, "sentinel", lambda: 2e-4 if here() == {busy} else 1e-4)
    cores = []
    taken = measure.take_samples(lambda: cores.append(here()) or 1e-6, quiet=1e-4)
    assert quiet_ones(taken) == measure.SAMPLES
    assert {busy} not in cores
    assert all(len(core) == 1 and core < allowed for core in cores)


def test_noise_in_either_sentinel_discards_a_sample(monkeypatch):
    """Samples 3 and 4 are flanked by the one noisy sentinel between them."""
    monkeypatch.setattr(measure, "move_to_quiet_core", lambda quiet, cores: 1.0)
    levels = iter([1.0, 1.0, 2.0] + [1.0] * 100)
    monkeypatch.setattr(measure, "sentinel", lambda: next(levels))
    numbers = iter(range(100))
    taken = measure.take_samples(lambda: next(numbers), quiet=1.0)
    assert quiet_ones(taken) == measure.SAMPLES
    assert seconds_of(taken) == [1, 2, *range(4, 4 + measure.SAMPLES - 2)]


def test_a_process_notes_how_quiet_it_was_and_how_fast_its_core(monkeypatch, capsys):
    monkeypatch.setattr(measure, "sentinel", lambda: 1.1e-4)
    checks = []
    samples = measure.samples(lambda: 1e-6, 1e-4, lambda: checks.append(1))
    assert [next(samples) for _ in range(measure.SAMPLES)] == [1e-6] * measure.SAMPLES
    assert len(checks) == 2  # before the first sample and after the last
    line = capsys.readouterr().out
    note = json.loads(line.removeprefix("note: "))
    assert note == {"samples": 25, "quiet": 25, "sentinel": pytest.approx(1.1e-4)}


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_the_quiet_level_is_neither_a_busy_core_nor_a_lucky_moment(monkeypatch):
    busy, *_ = allowed = os.sched_getaffinity(0)
    lucky = iter([1.0] * 20 + [0.5] * 20)  # two bursts of ten
    monkeypatch.setattr(
        measure,
        "sentinel",
        lambda: 2.0 if os.sched_getaffinity(0) == {busy} else next(lucky, 1.0),
    )
    assert measure.setup_cache() == 1.0
    assert os.sched_getaffinity(0) == allowed


def test_the_sentinel_takes_about_what_it_says():
    assert 1e-5 < min(measure.sentinel() for _ in range(100)) < 1e-3


def test_a_sample_is_the_mean_of_transfers_that_fill_its_time(monkeypatch):
    """Each is waited for before the next one starts, and what it made is dropped in between."""
    events = []

    class Device:
        def __init__(self):
            events.append("made")

        def __del__(self):
            events.append("released")

    measure.timed(Device, lambda: events.append("waited"), 3)
    assert events == ["made", "waited", "released"] * 3

    now = [0.0]
    monkeypatch.setattr(measure, "perf_counter", lambda: now[0])

    def transfer():
        now[0] += 0.001
        events.append("sent")

    sample = measure.sampler(transfer, lambda: None)
    events.clear()
    assert sample() == pytest.approx(0.001)
    assert len(events) == 4  # 4 ms


def test_the_clock_runs_by_what_was_sampled_alone():
    clock = measure.Clock()
    before = clock()
    clock.tick(iter([0.25, 7.0]))
    assert (before, clock()) == (0.0, 0.25)


def test_a_wrong_byte_is_an_error_and_the_next_bytes_are_others():
    host = numpy.empty(1024, "complex64")
    measure.fill(host)
    sent = host.tobytes()
    measure.verify(host, numpy.frombuffer(sent, "uint8"))
    assert host.tobytes() == bytes(255 - byte for byte in sent)
    with pytest.raises(ValueError, match=f"wrong bytes arrived: {host.nbytes} of {host.nbytes}"):
        measure.verify(host, numpy.frombuffer(sent, "uint8"))


@given(st.integers(0, 1023), st.integers(1, 255))
def test_any_wrong_byte_is_found(where, change):
    host = numpy.empty(1024, "uint8")
    measure.fill(host)
    arrived = host.copy()
    arrived[where] ^= change
    with pytest.raises(ValueError, match="wrong bytes arrived: 1 of 1024"):
        measure.verify(host, arrived)


def test_sources_are_fresh_random_bytes():
    host = numpy.empty((2, 1 << 16), "uint8")
    for row in host:
        measure.fill(row)
    counts = numpy.bincount(host.ravel(), minlength=256)
    assert counts.min() > 300  # 512 expected of each value
    assert numpy.count_nonzero(host[0] == host[1]) < 1000  # 256 expected


@pytest.mark.parametrize(
    "error", [MemoryError("Unable to allocate"), RuntimeError("Out of memory")]
)
def test_memory_that_is_not_there_is_skipped(error, capsys):
    with pytest.raises(SkipNotImplemented), measure.out_of_memory_skipped():
        raise error
    assert f'note: {{"skipped": "not enough memory: {error}"}}' in capsys.readouterr().out


def test_any_other_error_is_not_skipped():
    with pytest.raises(RuntimeError, match="illegal"), measure.out_of_memory_skipped():
        raise RuntimeError("an illegal memory access was encountered")
