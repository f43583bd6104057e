"""Where a process measures, and what the sentinel and the quiet level are."""

import os
import random

import pytest

from benchmarks import quiet_core

two_cores = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")


@pytest.fixture(autouse=True)
def cores():
    """The allowed cores, and every one of them allowed again afterwards."""
    allowed = os.sched_getaffinity(0)
    yield allowed
    os.sched_setaffinity(0, allowed)
    quiet_core.refused.clear()


@two_cores
def test_a_process_moves_to_a_quiet_core(monkeypatch, cores):
    busy = min(cores)
    monkeypatch.setattr(
        quiet_core, "sentinel", lambda: 2e-4 if os.sched_getaffinity(0) == {busy} else 1e-4
    )
    for _ in range(10):
        core = quiet_core.move_to_quiet(1e-4, cores)
        assert core != busy
        assert os.sched_getaffinity(0) == {core}


def test_where_no_core_is_quiet_it_stays_on_the_last(monkeypatch, cores):
    monkeypatch.setattr(quiet_core, "sentinel", lambda: 1.0)
    monkeypatch.setattr(random, "sample", lambda cores, count: cores)
    assert quiet_core.move_to_quiet(1e-4, sorted(cores)) == max(cores)


def test_a_process_that_may_not_move_measures_where_it_is_and_says_so(monkeypatch, cores):
    def refuse(pid, cores):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    assert quiet_core.move_to_quiet(1e-12, cores) is None
    assert quiet_core.refused == ["Operation not permitted"]
    assert 1e-6 < quiet_core.quiet_level() < 1e-2
    monkeypatch.undo()
    assert os.sched_getaffinity(0) == cores


@two_cores
def test_the_quiet_level_is_neither_a_busy_core_nor_a_lucky_moment(monkeypatch, cores):
    busy = min(cores)
    lucky = iter([1.0] * 20 + [0.5] * 20)  # two bursts of ten
    monkeypatch.setattr(
        quiet_core,
        "sentinel",
        lambda: 2.0 if os.sched_getaffinity(0) == {busy} else next(lucky, 1.0),
    )
    assert quiet_core.quiet_level() == 1.0
    assert os.sched_getaffinity(0) == cores


def test_the_sentinel_takes_about_what_it_says():
    assert 1e-5 < min(quiet_core.sentinel() for _ in range(100)) < 1e-3
