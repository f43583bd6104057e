"""How often the ranking is wrong, on made-up fleets of 100 hosts with 8 GPUs each."""

import functools
import re

import numpy
import pytest

from scripts.hosts import fleet, ranking
from tests.conftest import ROOT
from tests.hosts import made_up

GPUS = 8
HALVED = numpy.where(made_up.LARGE_ONES, numpy.log(0.5), 0)  # half the width, a generation lower
FIVE_PER_CENT = numpy.log(0.95)
FLEETS, PLANTED = 100, 10  # so many healthy ones, and so many with faults


def hosts(slow):
    return slow.any(axis=1).reshape(-1, GPUS).any(axis=1)


def slow_ones(rows):
    """As the ranking finds them."""
    of_host = numpy.arange(len(rows)) // GPUS
    rows, _, parts = ranking.with_more(rows, made_up.KINDS, of_host)
    return fleet.learn(rows, GPUS, parts).slow(rows)


def healthy(noise):
    """How many hosts are named in FLEETS fleets where nothing is slow."""
    rng = numpy.random.default_rng(11)
    return sum(int(hosts(slow_ones(noise(rng))).sum()) for _ in range(FLEETS))


def planted(change, share, noise=made_up.values, gpus=GPUS):
    """The share of the slow GPUs that is found, and of the healthy hosts that are named.

    Of the hosts `share` are ill, in `gpus` of their GPUs.
    """
    rng = numpy.random.default_rng(7)
    found, bad, named, well = 0, 0, 0, 0
    for _ in range(PLANTED):
        rows = noise(rng)
        ill = rng.random(100) < share
        ill[0] = True
        of_ill = numpy.repeat(ill, GPUS) & (numpy.arange(len(rows)) % GPUS < gpus)
        rows[of_ill] += change
        slow = slow_ones(rows)
        found += slow[of_ill].any(axis=1).sum()
        bad += of_ill.sum()
        named += hosts(slow)[~ill].sum()
        well += (~ill).sum()
    return found / bad, named / well


NOISE = {
    "normal": made_up.values,
    "heavy tails": functools.partial(made_up.values, df=5),
    "recorded": made_up.as_recorded,
}
CASES = [(change, gpus) for change in (HALVED, FIVE_PER_CENT) for gpus in (1, GPUS)]
CASES += [(numpy.log(0.9), 1)]


@pytest.mark.parametrize("name", NOISE)
def test_the_rates_are_those_of_the_docs(name):
    """At most one healthy host in a thousand is named; links at half are found; and 5 % slow."""
    noise = NOISE[name]
    named = healthy(noise)
    found = [
        [planted(change, share, noise, gpus)[0] for share in (0.01, 0.2)] for change, gpus in CASES
    ]
    assert named <= fleet.FALSE_ALARMS * 100 * FLEETS
    assert min(found[0] + found[1]) >= 0.95
    if noise is not made_up.as_recorded:  # whose hosts, and numbers, differ by more
        assert min(found[2] + found[3]) >= 0.9
    assert min(found[4]) >= 0.9
    page = (ROOT / "docs" / "hosts.md").read_text()
    (row,) = re.findall(rf"^\| {name}.*", page, re.MULTILINE)
    cells = [cell.strip() for cell in row.strip("|").split("|")][1:]
    shares = [" / ".join(f"{100 * share:.0f}" for share in case) for case in found]
    assert cells == [f"{named} of {100 * FLEETS:,}", *(f"{share} %" for share in shares)]


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
