"""Passes and visits: what of the processes comes into the recording. They take no time here."""

import math
import pickle
from collections import Counter

import pytest

from scripts.gate import measuring, recording, sides
from scripts.gate.sides import Point

METHODS = "torch", "cupy"
WHOLE = {"torch": 1e-5, "cupy": 2e-5}


def point(nbytes=8, names=METHODS):
    return Point("a.B.time_x", "2", 0, {name: {"method": name, "nbytes": nbytes} for name in names})


class Processes:
    """As sides.Processes: of each visit what both sides note, and the rounds."""

    def __init__(self, *sides, turns=30 * [(WHOLE, WHOLE)]):
        self.sides, self.turns = sides, turns
        self.started = 0

    def renew(self):
        self.started += 1

    def visit(self, point):
        return self.sides, self.turns


def side(**others):
    """What stacks.process returns; `others` are series that it has not measured."""
    series = {name: {"seconds": [seconds]} for name, seconds in WHOLE.items()}
    return {"visit": "id", "quiet": 25, "sentinel": 6e-5, "series": series | others}


def empty(folder):
    kept = recording.Recording(folder / "recording.jsonl", ["a" * 40] * 2, {}, [])
    if not kept.runs:
        run = {"started": 1, "ended": None, "processes": None, "facts": {}}
        kept.add({"run": {**run, "alarms": [], "whole": False}})
    return kept


def test_a_visit_has_a_line_for_each_series(tmp_path):
    kept = empty(tmp_path)
    slower = {"torch": 2e-5, "cupy": 2e-5}
    odd = (WHOLE, {"torch": 1.0, "cupy": 1.0})
    processes = Processes(side(), side(), turns=[*29 * [(WHOLE, slower)], odd])
    measuring.visit(kept, point(), processes, 0)
    measuring.visit(kept, point(16), processes, 0)
    kept.check()
    assert [line["visit"] for line in kept.visits] == [0, 0, 1, 1]
    assert [line["parameters"]["method"] for line in kept.visits[:2]] == list(METHODS)
    torch, cupy = kept.visits[:2]
    assert torch["change"] == pytest.approx(math.log(2))  # the odd round is nothing
    assert torch["seconds"] == [1e-5, 2e-5]
    assert cupy["change"] == 0
    assert torch["ended"] == cupy["ended"]
    assert kept.processes == 4


FAILED = {"failed": "Traceback\n  ...\nValueError: wrong bytes\n"}
SKIPPED = {"skipped": "torch is not installed"}
DIED = {"failed": "Segmentation fault"}
NO_TURNS = measuring.NO_TURNS


@pytest.mark.parametrize(
    ("sides", "torch", "cupy"),
    [
        ([side(), side(torch=FAILED)], [{}, {"failed": "ValueError: wrong bytes"}], None),
        ([side(torch=SKIPPED), side(torch=SKIPPED)], [SKIPPED, SKIPPED], None),
        ([DIED, side()], [DIED, {}], [DIED, {}]),
        ([SKIPPED, SKIPPED], [SKIPPED, SKIPPED], [SKIPPED, SKIPPED]),
    ],
)
def test_a_series_that_one_side_lacks_is_unmeasured_and_no_other(tmp_path, sides, torch, cupy):
    kept = empty(tmp_path)
    measuring.visit(kept, point(), Processes(*sides), 0)
    kept.check()
    assert [line.get("unmeasured") for line in kept.visits] == [torch, cupy]
    assert ["change" in line for line in kept.visits] == [False, cupy is None]


def test_a_series_without_all_rounds_is_unmeasured(tmp_path):
    kept = empty(tmp_path)
    some = [*29 * [(WHOLE, WHOLE)], (WHOLE, {"cupy": 2e-5})]
    for turns in some, []:
        measuring.visit(kept, point(), Processes(side(), side(), turns=turns), 0)
    kept.check()
    whys = [line.get("unmeasured") for line in kept.visits]
    assert whys == [[NO_TURNS, NO_TURNS], None, [NO_TURNS, NO_TURNS], [NO_TURNS, NO_TURNS]]


def test_the_only_series_of_a_visit_needs_no_name(tmp_path):
    kept = empty(tmp_path)
    copy = {"sentinel": 6e-5, "series": {"copy": {"seconds": [1.0]}}}
    alone = Point("a.B.time_copy", "2", 0, {None: {"nbytes": 8}})
    processes = Processes(copy, copy, turns=30 * [({"copy": 1.0}, {"copy": 3.0})])
    measuring.visit(kept, alone, processes, 0)
    assert kept.visits[0]["change"] == pytest.approx(math.log(3))


def test_what_failed_once_is_left_alone_until_the_next_run(tmp_path):
    kept, here = empty(tmp_path), point()
    measuring.visit(kept, here, Processes(side(), side()), 0)
    assert list(measuring.lacking(kept, [here], 2)) == [(here, 1)]
    measuring.visit(kept, here, Processes(side(), side(torch=FAILED)), 1)
    assert list(measuring.lacking(kept, [here], 2)) == []
    assert list(measuring.lacking(kept, [here], 3)) == [(here, 2)]  # CuPy's
    measuring.visit(kept, here, Processes(side(), DIED), 2)
    assert list(measuring.lacking(kept, [here], 3)) == []
    kept.check()
    assert list(measuring.lacking(empty(tmp_path), [here], 2)) == [(here, 1)]


def test_each_pass_begins_with_new_servers_and_none_serves_too_long(tmp_path):
    kept, looks = empty(tmp_path), []
    points = [point(8 * number) for number in range(1, measuring.VISITS + 5)]
    processes = Processes(side(), side())
    assert measuring.measure(kept, points, processes, 3, math.inf, lambda: looks.append(1))
    visits = {line["visit"]: (line["round"], line["servers"]) for line in kept.visits}
    served = Counter(visits.values())
    assert list(served.values()) == 6 * [len(points) // 2]  # evenly
    assert len({servers for _, servers in served}) == 6
    assert len(looks) == 3


def benchmarks(name, **params):
    """asv's Benchmarks of one."""
    about = {"name": name, "type": "time", "version": "2", "param_names": list(params)}
    about["params"] = [[repr(value) for value in values] for values in params.values()]

    class Benchmarks(dict):
        benchmark_selection = None

    found = Benchmarks({name: about})
    found.benchmark_selection = {name: None}
    return found


def test_a_point_is_a_visit_of_the_series_that_were_chosen():
    name = "host_to_device.HostToDevice.time_new_array"
    found = benchmarks(name, method=METHODS, memory=("pinned",), nbytes=(8, 16))
    points = list(sides.selected(found))
    assert [list(one.series) for one in points] == [list(METHODS)] * 2
    assert [one.index for one in points] == [0, 1]
    assert points[1].series["cupy"] == {"method": "cupy", "memory": "pinned", "nbytes": 16}
    found.benchmark_selection = {name: [1, 2]}
    assert [(one.index, list(one.series)) for one in sides.selected(found)] == [
        (1, ["torch"]),
        (2, ["cupy"]),
    ]


def test_a_benchmark_whose_methods_are_not_measured_in_turn_has_visits_of_one():
    found = benchmarks("reference.Pinning.time_pin", method=METHODS, nbytes=(8,))
    assert [list(one.series) for one in sides.selected(found)] == [["torch"], ["cupy"]]
    found = benchmarks("reference.Link.time_link", nbytes=(8,))
    assert [list(one.series) for one in sides.selected(found)] == [[None]]


def test_its_processes_correct_a_quiet_level_that_is_too_high(monkeypatch, tmp_path):
    level = tmp_path / "cache.pickle"
    level.write_bytes(pickle.dumps(1e-4))
    processes = sides.Processes([], {"copy": {"setup_cache_key": "key"}})
    processes.caches = {"key": tmp_path}
    for came, wanted in ([1e-4, 0.95e-4], 1e-4), ([1e-4, 0.5e-4], 0.5e-4), ([], 0.5e-4):
        found = [*({"sentinel": seconds} for seconds in came), {"skipped": "no GPU"}], []
        monkeypatch.setattr(sides, "in_turn", lambda calls, found=found: found)
        assert processes.visit(Point("copy", "2", 0, {})) == found
        assert pickle.loads(level.read_bytes()) == wanted
