"""Steps in ratios: a library's, however the host drifts, and what all methods do together.

Of results made of stated truths (tests/stated.py), whose host drifts by 5 % from visit to visit.
"""

import json
import re

import numpy
import pandas
import pytest

from scripts.change_points import history, in_words
from scripts.reading import own_part, points
from scripts.words.vocabulary import ALL
from tests import stated
from tests.stated import COMMITS

DRIFT = 0.05


def made(results, factor, number=6, **options):
    """Six commits; `factor` gives how many times as long a point takes at the number-th."""
    for commit in range(number):

        def times(point, commit=commit):
            return factor(commit, point)

        stated.result(results, times, COMMITS[commit], commit, drift=DRIFT, **options)
    return history.of_machine(results, stated.MACHINE)


def cupy_pinned(step):
    def factor(commit, point):
        return step if commit >= 3 and point[1:3] == ("cupy", "pinned") else 1.0

    return factor


@pytest.mark.parametrize("step", [1.03, 0.97])
def test_a_librarys_step_of_3_percent_is_found_in_six_commits(tmp_path, step):
    (change,), _ = made(tmp_path, cupy_pinned(step))
    assert (change.method, change.memory, change.commit) == ("cupy", "pinned", COMMITS[3])
    assert change.slower == (step > 1)
    assert change.by_ratio
    assert not change.candidate
    assert change.low_99 < 100 * (step - 1) < change.high_99 < change.low_99 + 3
    assert sum(len(family["series"]) for family in change.families) >= 10
    which = f"cupy, pinned: {abs(change.percent):.1f} % {'more' if step > 1 else 'less'} time"
    text = in_words.text([change], [])
    assert re.search(rf"{which} beside the other methods \(99 %: \S+ to \S+ %\), ", text)
    assert in_words.as_json([change], [])["changes"][0]["by_ratio"] is True


def test_nothing_changed(tmp_path):
    assert made(tmp_path, lambda *_: 1.0)[0] == []


def test_a_host_that_is_slow_for_one_commit_is_no_step_of_anything(tmp_path):
    assert made(tmp_path, lambda commit, point: 1.6 if commit == 3 else 1.0)[0] == []


def test_what_all_methods_do_together_is_a_step_of_no_library(tmp_path):
    changes, _ = made(tmp_path, lambda commit, point: 1.5 if commit >= 3 else 1.0)
    assert {(one.method, one.memory) for one in changes} == {(ALL, "pinned"), (ALL, "pageable")}
    for change in changes:
        assert change.commit == COMMITS[3]
        assert change.low_99 < 50 < change.high_99
        assert not change.by_ratio
        assert f"all methods, {change.memory}: " in in_words.text([change], [])
        assert "beside" not in in_words.text([change], [])


def test_a_librarys_step_in_the_middle_of_a_hosts(tmp_path):
    def factor(commit, point):
        return (1.5 if commit >= 3 else 1.0) * cupy_pinned(1.05)(commit, point)

    changes, _ = made(tmp_path, factor)
    (change,) = (one for one in changes if one.by_ratio)
    assert (change.method, change.memory) == ("cupy", "pinned")
    assert change.low_99 < 5 < change.high_99
    assert len(changes) == 3


def test_the_newest_commit_alone_is_a_candidate(tmp_path):
    ((change,), _) = made(tmp_path, cupy_pinned(1.05), 4)
    assert change.candidate
    assert change.commit == COMMITS[3]


def test_a_method_that_is_not_there_at_first(tmp_path):
    """With it the mean of all is another one, which is no step of theirs."""

    def factor(commit, point):
        missing = point[1] == "pycuda" and commit < 3
        return None if missing else {"pycuda": 2.0}.get(point[1], 1.0)

    assert made(tmp_path, factor)[0] == []


def test_results_without_visits_are_judged_by_their_seconds(tmp_path):
    """As version 1 wrote them: 3 % is nothing then, 50 % is each method's own."""
    made(tmp_path, cupy_pinned(1.03))
    without_visits(tmp_path)
    assert history.of_machine(tmp_path, stated.MACHINE)[0] == []
    made(tmp_path, cupy_pinned(1.5))
    without_visits(tmp_path)
    (change,), _ = history.of_machine(tmp_path, stated.MACHINE)
    assert (change.method, change.memory, change.by_ratio) == ("cupy", "pinned", False)


def without_visits(results):
    for path in results.glob("*/*.noise.jsonl"):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines:
            del line["visit"]
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert points.load(results)[0]["relative"].isna().all()


def test_the_link_is_judged_by_its_seconds(tmp_path):
    for commit in range(6):
        slow = 1.3 if commit >= 3 else 1.0
        stated.result(tmp_path, commit=COMMITS[commit], number=commit, drift=DRIFT, link=slow)
    (change,), _ = history.of_machine(tmp_path, stated.MACHINE)
    assert (change.method, change.by_ratio) == ("link", False)


def test_how_often_it_is_wrong(tmp_path):
    """Of 8 histories of six commits a step of 3 % is found in all, and none beside it."""
    found = beside = 0
    for seed in range(8):
        results = tmp_path / str(seed)
        for commit in range(6):

            def factor(point, commit=commit):
                return cupy_pinned(1.03)(commit, point)

            stated.result(
                results, factor, COMMITS[commit], commit, drift=DRIFT, seed=[seed, commit]
            )
        for change in history.of_machine(results, stated.MACHINE)[0]:
            right = (change.method, change.memory, change.commit) == ("cupy", "pinned", COMMITS[3])
            found += right
            beside += not right and change.method != ALL
    assert (found, beside) == (8, 0)


@pytest.mark.parametrize(("torch", "cupy"), [(1.3, 1 / 1.3), (1.3, 1.2), (1 / 1.4, 1.1)])
def test_two_libraries_that_step_at_once_do_not_move_the_others(torch, cupy, tmp_path):
    steps = {"torch": torch, "cupy": cupy}

    def factor(commit, point):
        return steps.get(point[1], 1) if commit >= 3 else 1

    changes, _ = made(tmp_path, factor)
    found = {change.method: change.percent for change in changes if change.by_ratio}
    wanted = {method: 100 * (step - 1) for method, step in steps.items()}
    assert found == pytest.approx(wanted, abs=2)


@pytest.mark.parametrize(
    ("steps", "said", "spread"),
    [
        ([0.3, 0.3, 0, 0], [0.15, 0.15, -0.15, -0.15], 0.03),  # nobody knows which two did
        ([0.3, 0.2, 0, 0], [0.3, 0.2, 0, 0], 0.004),
        ([0.3, 0.1, 0], [0.25, 0.05, -0.05], 0.003),  # of two that are left, both count
    ],
)
def test_what_is_said_of_two_that_step_at_once(steps, said, spread):
    """Of each of 30 points it is the same, within some noise."""
    levels = ["point", "method"]
    index = pandas.MultiIndex.from_product([range(30), range(len(steps))], names=levels)
    noise = numpy.random.default_rng(0).normal(0, 0.002, (len(index), 6))
    stepped = numpy.outer(30 * steps, numpy.arange(6) >= 3)
    own = own_part.own(pandas.DataFrame(noise + stepped, index), ["point"]).to_numpy()
    moved = (own[:, 3:].mean(axis=1) - own[:, :3].mean(axis=1)).reshape(30, -1)
    assert moved.mean(axis=0) == pytest.approx(said, abs=0.01)
    assert max(moved.std(axis=0)) < spread


def test_the_least_step_is_sought_where_no_step_was_found(tmp_path, monkeypatch):
    sought = set()

    def of_libraries(judged):
        sought.update((family.method, family.memory) for family, _ in judged)
        return ""

    monkeypatch.setattr(history.least, "of_libraries", of_libraries)
    made(tmp_path, cupy_pinned(1.1))
    assert {("torch", "pinned"), ("cupy", "pageable")} < sought
    assert ("cupy", "pinned") not in sought
