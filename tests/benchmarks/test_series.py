"""A sample: which transfers it counts, and how many of them."""

import pytest

from benchmarks import series


class Device:
    """A clock that transfers advance: `slow` has the seconds of the first of them."""

    def __init__(self, monkeypatch, seconds, slow=()):
        self.now, self.calls, self.seconds, self.slow = 0.0, 0, seconds, list(slow)
        monkeypatch.setattr(series, "perf_counter", lambda: self.now)

    def transfer(self):
        self.calls += 1
        self.now += self.slow.pop(0) if self.slow else self.seconds

    def take(self, count):
        return series.timed(self.transfer, series.nothing, count)


def test_each_transfer_is_waited_for_and_what_it_made_is_dropped():
    events = []

    class Made:
        def __init__(self):
            events.append("made")

        def __del__(self):
            events.append("released")

    series.timed(Made, lambda: events.append("waited"), 3)
    assert events == ["made", "waited", "released"] * 3


@pytest.mark.parametrize(
    ("seconds", "count", "uncounted"),
    [(1e-5, 200, 2), (0.0005, 4, 2), (0.0015, 1, 1), (0.03, 1, 0)],
)
def test_a_sample_is_the_mean_of_transfers_that_fill_its_time(
    monkeypatch, seconds, count, uncounted
):
    device = Device(monkeypatch, seconds)
    one = series.steady(device.take)
    assert (one.count, one.uncounted) == (count, uncounted)
    device.calls = 0
    assert one.sample() == pytest.approx(seconds)
    assert device.calls == count + uncounted


@pytest.mark.parametrize("where", range(0, 60, 7))
def test_a_hiccup_does_not_decide_how_many_fill_a_sample(monkeypatch, where):
    """Wherever it is, and though it takes as long as a thousand transfers."""
    device = Device(monkeypatch, 1e-4, slow=[1e-4] * where + [0.1])
    assert series.steady(device.take).count == 20


def test_what_comes_before_a_sample_is_not_counted(monkeypatch):
    device = Device(monkeypatch, 1e-4)
    one = series.steady(device.take)
    device.slow = [5e-4, 2e-4]
    assert one.sample() == pytest.approx(1e-4)


def test_pageable_transfers_are_warm_before_they_are_counted(monkeypatch):
    device = Device(monkeypatch, 0.002)
    series.steady(device.take)
    assert device.calls >= series.WARM_UP_TRANSFERS


def test_warming_up_huge_ones_ends(monkeypatch):
    device = Device(monkeypatch, 0.05)
    series.steady(device.take)
    assert device.now == pytest.approx(0.05 + series.WARM_UP_SECONDS[1])
