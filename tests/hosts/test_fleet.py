"""How often the ranking is wrong, on made-up fleets of 100 hosts with 8 GPUs each."""

import numpy
import pytest

from scripts.hosts import fleet
from tests.hosts import made_up

GPUS = 8
GENERATION_LOWER = HALF = numpy.log(0.5)


def hosts(slow):
    return slow.any(axis=1).reshape(-1, GPUS).any(axis=1)


def planted(change, share=0.01, df=None, fleets=20):
    """Found share of the planted GPUs, and how many healthy hosts were named, of how many."""
    rng = numpy.random.default_rng(7)
    found, bad, named, healthy = 0, 0, 0, 0
    for _ in range(fleets):
        rows = made_up.values(rng, df=df)
        ill = rng.random(100) < share
        ill[0] = True
        of_ill = numpy.repeat(ill, GPUS)
        rows[of_ill] += change
        slow = fleet.learn(rows, GPUS).slow(rows)
        found += slow[of_ill].any(axis=1).sum()
        bad += of_ill.sum()
        named += hosts(slow)[~ill].sum()
        healthy += (~ill).sum()
    return found / bad, named, healthy


@pytest.mark.parametrize("df", [None, 5])
def test_of_healthy_hosts_at_most_one_in_a_thousand_is_named(df):
    rng = numpy.random.default_rng(11)
    named, fleets = 0, 300
    for _ in range(fleets):
        rows = made_up.values(rng, df=df)
        named += hosts(fleet.learn(rows, GPUS).slow(rows)).sum()
    assert 0 < named <= fleet.FALSE_ALARMS * 100 * fleets


@pytest.mark.parametrize("df", [None, 5])
@pytest.mark.parametrize("share", [0.01, 0.2])
def test_a_link_at_half_its_width_or_a_generation_lower_is_found(share, df):
    halved = numpy.where(made_up.LARGE_ONES, HALF, 0)
    found, _, _ = planted(halved, share, df)
    assert found >= 0.95


@pytest.mark.parametrize("share", [0.01, 0.2])
def test_a_gpu_five_per_cent_slow_is_found(share):
    found, named, healthy = planted(numpy.log(0.95), share)
    assert found >= 0.9
    assert named <= 0.002 * healthy


def test_what_is_called_slow_is_a_matter_of_chance_in_a_fleet_too_small():
    rng = numpy.random.default_rng(5)
    rows = made_up.values(rng, hosts=3, gpus=1)
    assert not numpy.isfinite(fleet.learn(rows, 1).threshold).any()


def test_equal_numbers_are_no_spread_of_nothing():
    rows = numpy.zeros((100, 3))
    rows[4, 1] = -0.015
    learned = fleet.learn(rows, 1)
    assert not learned.slow(rows).any()
    rows[4, 1] = -0.03
    assert learned.slow(rows).sum() == 1


def test_a_kind_that_few_have_is_not_judged_and_disturbs_no_other():
    rng = numpy.random.default_rng(2)
    rows = made_up.values(rng)
    rows[:, 3] = numpy.nan
    rows[2, 3] = 1.0
    rows[9, 0] += HALF
    slow = fleet.learn(rows, GPUS).slow(rows)
    assert slow[9, 0]
    assert not slow[:, 3].any()


def test_so_many_by_chance():
    assert fleet.so_many(0, 100) == 1
    assert 0.09 < fleet.so_many(1, 100) < 0.1
    assert fleet.so_many(3, 100) < 2e-4
