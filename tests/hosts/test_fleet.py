"""How often the ranking is wrong, on made-up fleets of 100 hosts with 8 GPUs each."""

import re

import numpy
import pytest

from scripts.hosts import fleet, ranking
from tests.conftest import ROOT
from tests.hosts import made_up

GPUS = 8
HALVED = numpy.where(made_up.LARGE_ONES, numpy.log(0.5), 0)  # half the width, a generation lower
FIVE_PER_CENT = numpy.log(0.95)
FLEETS, PLANTED = 300, 20  # so many healthy ones, and so many with faults


def hosts(slow):
    return slow.any(axis=1).reshape(-1, GPUS).any(axis=1)


def slow_ones(rows):
    """As the ranking finds them."""
    rows, _ = ranking.with_means(rows, made_up.KINDS)
    return fleet.learn(rows, GPUS, len(made_up.KINDS)).slow(rows)


def healthy(df):
    """How many hosts are named in FLEETS fleets where nothing is slow."""
    rng = numpy.random.default_rng(11)
    fleets = (made_up.values(rng, df=df) for _ in range(FLEETS))
    return sum(int(hosts(slow_ones(rows)).sum()) for rows in fleets)


def planted(change, share, df=None):
    """The share of the slow GPUs that is found, and of the healthy hosts that are named."""
    rng = numpy.random.default_rng(7)
    found, bad, named, well = 0, 0, 0, 0
    for _ in range(PLANTED):
        rows = made_up.values(rng, df=df)
        ill = rng.random(100) < share
        ill[0] = True
        of_ill = numpy.repeat(ill, GPUS)
        rows[of_ill] += change
        slow = slow_ones(rows)
        found += slow[of_ill].any(axis=1).sum()
        bad += of_ill.sum()
        named += hosts(slow)[~ill].sum()
        well += (~ill).sum()
    return found / bad, named / well


@pytest.mark.parametrize(("noise", "df"), [("normal", None), ("heavy tails", 5)])
def test_the_rates_are_those_of_the_docs(noise, df):
    """At most one healthy host in a thousand is named; links at half are found; and 5 % slow."""
    named = healthy(df)
    halved = [planted(HALVED, share, df)[0] for share in (0.01, 0.2)]
    slower = [planted(FIVE_PER_CENT, share, df)[0] for share in (0.01, 0.2)]
    assert 0 < named <= fleet.FALSE_ALARMS * 100 * FLEETS
    assert min(halved) >= 0.95
    if not df:
        assert min(slower) >= 0.9
    page = (ROOT / "docs" / "hosts.md").read_text()
    (row,) = re.findall(rf"^\| {noise}.*", page, re.MULTILINE)
    cells = [cell.strip() for cell in row.strip("|").split("|")][1:]
    shares = [f"{100 * found:.0f} %" for found in (*halved, *slower)]
    assert cells == [f"{named} of {100 * FLEETS:,}", *shares]


def test_hosts_that_are_well_are_not_named_beside_one_in_five_that_is_not():
    _, named = planted(FIVE_PER_CENT, 0.2)
    assert named <= 2 * fleet.FALSE_ALARMS  # of 1,600: three at most


def test_a_fleet_too_small_to_say_anything():
    rows = made_up.values(numpy.random.default_rng(5), hosts=3, gpus=1)
    assert not numpy.isfinite(fleet.learn(rows, 1).threshold).any()


def test_equal_numbers_are_no_spread_of_nothing():
    rows = numpy.zeros((100, 3))
    rows[4, 1] = -0.015
    learned = fleet.learn(rows, 1)
    assert not learned.slow(rows).any()
    rows[4, 1] = -0.03
    assert learned.slow(rows).sum() == 1


def test_a_kind_that_few_have_is_not_judged_and_disturbs_no_other():
    rows = made_up.values(numpy.random.default_rng(2))
    rows[:, 3] = numpy.nan
    rows[2, 3] = 1.0
    rows[9, 0] += numpy.log(0.5)
    slow = fleet.learn(rows, GPUS).slow(rows)
    assert slow[9, 0]
    assert not slow[:, 3].any()


def test_so_many_by_chance():
    assert fleet.so_many(0, 100) == 1
    assert 0.09 < fleet.so_many(1, 100) < 0.1
    assert fleet.so_many(3, 100) < 2e-4
