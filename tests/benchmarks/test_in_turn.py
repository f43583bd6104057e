"""Rounds: their order, which of them count, and how long a process looks for quiet ones."""

import os
from itertools import pairwise
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import group, in_turn
from benchmarks.in_turn import Round
from benchmarks.quiet_core import QUIET
from benchmarks.series import Series

WANTED = 25


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.delenv(in_turn.PARTNER, raising=False)


def of_series(**takes):
    return group.Group({name: lambda take=take: Series(take) for name, take in takes.items()})


def logged(names):
    """A group whose series log who took a sample, and the log."""
    log = []
    return of_series(**{name: lambda _, name=name: log.append(name) or 1e-6 for name in names}), log


@given(st.lists(st.tuples(st.floats(0.5, 10), st.floats(1e-9, 1)), min_size=25, max_size=100))
def test_rounds_are_chosen_by_the_sentinel_alone(taken):
    rounds = [Round({"a": seconds}, [], noise) for noise, seconds in taken]
    chosen = in_turn.quietest(rounds, WANTED)
    assert len(chosen) == WANTED
    quiet = [one for one in rounds if one.quiet]
    assert chosen[: len(quiet)] == quiet[:WANTED]  # in the order of their taking
    rest = sorted(one.noise for one in rounds if not one.quiet)
    assert [one.noise for one in chosen[len(quiet) :]] == rest[: WANTED - len(quiet[:WANTED])]


def test_the_order_is_turned_round_each_time():
    group, log = logged("abcd")
    rounds = in_turn.rounds_of(group, 1.0, WANTED)
    assert len(rounds) == WANTED
    orders = [log[at : at + 4] for at in range(0, len(log), 4)]
    assert len(orders) == WANTED
    assert all(sorted(order) == list("abcd") for order in orders)
    assert all(later == sooner[::-1] for sooner, later in pairwise(orders))


def test_the_first_order_is_another_one_in_other_visits():
    firsts = set()
    for _ in range(20):
        group, log = logged("abcd")
        in_turn.rounds_of(group, 1.0, 1)
        firsts.add("".join(log))
    assert len(firsts) > 1


def test_a_quiet_machine_takes_no_more_rounds_than_it_needs():
    group, log = logged("ab")
    assert all(one.quiet for one in in_turn.rounds_of(group, 1.0, WANTED))
    assert len(log) == 2 * WANTED


def test_the_search_for_a_quiet_core_ends(monkeypatch):
    monkeypatch.setattr(in_turn, "LIMIT_SECONDS", 0.2)
    before = os.sched_getaffinity(0)
    group, log = logged("ab")
    start = perf_counter()
    rounds = in_turn.rounds_of(group, 1e-12, WANTED)
    assert 0.2 < perf_counter() - start < 2
    assert len(rounds) == WANTED < len(log) / 2
    assert not any(one.quiet for one in rounds)
    assert os.sched_getaffinity(0) == before


def test_one_noisy_sentinel_discards_the_round_for_all(monkeypatch):
    """So that the samples of a visit's series are of the same rounds."""
    levels = iter([1.0, 1.0, 1.0] + [1.0, 2.0, 1.0] + [1.0] * 300)
    monkeypatch.setattr(in_turn, "sentinel", lambda: next(levels))
    numbers = iter(range(100)), iter(range(100))
    group = of_series(a=lambda _: next(numbers[0]), b=lambda _: next(numbers[1]))
    rounds = in_turn.rounds_of(group, 1.0, WANTED)
    for name in "ab":
        assert [one.seconds[name] for one in rounds] == [0, *range(2, WANTED + 1)]


def test_a_round_notes_its_slowest_sentinel(monkeypatch):
    levels = iter([1.0, 3.0, 2.0])
    monkeypatch.setattr(in_turn, "sentinel", lambda: next(levels))
    one = in_turn.take_round(logged("ab")[0], ["a", "b"], 2.0)
    assert (one.sentinels, one.noise, one.quiet) == ([1.0, 3.0, 2.0], 1.5, False)
    assert QUIET < 1.5


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_rounds_are_taken_on_one_core_while_it_is_quiet():
    cores = []
    group = of_series(a=lambda _: cores.append(os.sched_getaffinity(0)) or 1e-6)
    rounds = in_turn.rounds_of(group, 1.0, WANTED)
    assert cores == WANTED * [{rounds[0].core}]


def test_a_process_that_may_not_move_takes_its_rounds_all_the_same(monkeypatch):
    monkeypatch.setattr(in_turn, "move", lambda cores: False)
    monkeypatch.setattr(in_turn, "move_to_quiet", lambda level, cores: None)
    rounds = in_turn.rounds_of(logged("ab")[0], 1.0, WANTED)
    assert [one.core for one in rounds] == WANTED * [None]


def test_a_series_that_fails_in_mid_rounds_leaves_the_others():
    calls = iter(range(100))
    group = of_series(a=lambda _: 1 / (5 - next(calls)), b=lambda _: 1e-6)
    rounds = in_turn.rounds_of(group, 1.0, WANTED)
    assert [one.seconds.get("b") for one in rounds] == WANTED * [1e-6]
    assert sum("a" in one.seconds for one in rounds) == 5
    assert isinstance(group.troubles["a"], ZeroDivisionError)


def test_without_a_series_there_is_no_round():
    group = of_series(a=lambda _: 1 / 0)
    assert in_turn.rounds_of(group, 1.0, WANTED)[1:] == []
    assert in_turn.rounds_of(group, 1.0, WANTED) == []
