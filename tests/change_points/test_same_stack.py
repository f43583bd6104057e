"""Six runs of one stack on an H200, four visits a point: how small a step a history of them shows,
as docs say it."""

import itertools

import numpy
import pandas
import pytest

from scripts.change_points import detector, families, least
from scripts.words import thresholds
from scripts.words.formats import as_percent
from scripts.words.vocabulary import TO_DEVICE
from tests.conftest import ROOT

VISITS = 1, 2, 3, 4
RECORDED = ROOT / "tests" / "recorded" / "same-stack-again.csv"


def runs(visits):
    """What the runs say of these visits: the rows that families.of takes."""
    rows = pandas.read_csv(RECORDED).query("visit in @visits")
    rows = rows.assign(log=numpy.log(rows["seconds"]))
    point = ["run", "operation", "memory", "method", "nbytes"]
    rows = rows.groupby(point)[["log", "relative"]].mean().reset_index()
    place, seconds = rows["run"] - 1, numpy.exp(rows["log"])
    return rows.assign(place=place, seconds=seconds, dtype="float32", direction=TO_DEVICE)


def judged(visits):
    """The changes that are found, and {memory: the least step of a library, in per cent}."""
    found, worst = [], dict.fromkeys(("pinned", "pageable"), 0)
    for family in families.of(runs(visits)):
        sizes = family.logs.index.get_level_values("nbytes")
        bounds = [thresholds.unchanged(family.memory, int(one), family.by_ratio) for one in sizes]
        bounds = pandas.Series(numpy.log1p(bounds), family.logs.index)
        steps = detector.find(family.logs, bounds, family.by_ratio)
        changes, _ = detector.together(steps, family.logs)
        found += changes
        if family.by_ratio and not changes:
            step = as_percent(least.step(family.logs, bounds, True))
            worst[family.memory] = max(worst[family.memory], step)
    return found, worst


@pytest.fixture(scope="module")
def docs():
    return " ".join((ROOT / "docs" / "gate.md").read_text().replace("**", "").split())


def test_four_visits_show_no_step_where_nothing_changed_and_small_ones_else(docs):
    found, worst = judged(VISITS)
    assert not found
    assert worst["pinned"] < 3
    said = "of {pinned:.1f} % or more in pinned memory, or of {pageable:.1f} % or more in pageable"
    assert f"one of a library {said.format(**worst)} memory, would have been" in docs


def test_two_visits_show_less(docs):
    every = [judged(two) for two in itertools.combinations(VISITS, 2)]
    ranges = [
        f"{min(worst[memory] for _, worst in every):.1f} to "
        f"{max(worst[memory] for _, worst in every):.1f} %"
        for memory in ("pinned", "pageable")
    ]
    assert f"taken in six ways, it is {' and '.join(ranges)}, and in three of the six" in docs
    assert sorted(len(found) for found, _ in every) == [0, 0, 0, 1, 1, 2]
    # Each is at the second run: of the oldest alone.
    assert {place for found, _ in every for place, *_ in found} == {1}
