"""The gate's statistics, on simulated visits (simulated.py) and on what was recorded on real GPUs.

The calibration in results/ is of one H100 with nothing changed. Version 1 of the benchmarks, whose
visits were of one series each, recorded two more: recorded/cupy-12.jsonl is gate.py compare of a
stack with CuPy 14.2.0 (and NumPy 2.5.5) and one with CuPy 12.3.0 (and NumPy 1.26.4), which copies
pinned sources once more on the host; recorded/equal-stacks.jsonl is that of two commits whose
stacks are the same, all four methods. Both were measured on another H100.
"""

import functools
import json
import math
import re

import numpy
import pandas
import pytest

from scripts.gate import answer, decision, pairs, recording, running, verdict
from scripts.gate.bump import Bump
from scripts.gate.pairs import FEWEST
from scripts.gate.sides import Point
from tests.conftest import ROOT
from tests.gate import evaluate, replay, simulated
from tests.gate.simulated import METHODS

CALIBRATION = ROOT / "results" / "nvidia-h100-80gb-hbm3" / "calibration.jsonl"


@functools.cache
def read():
    return simulated.lines()


def found(lines, calibration=None):
    return verdict.judge(pairs.of(lines), calibration)


def slowed(lines, factor, chosen):
    """`lines`, where HEAD's process took `factor` times as long in the visits that are `chosen`."""

    def slower(line):
        base, head = line["seconds"]
        change = line["change"] + math.log(factor)
        return {**line, "seconds": [base, head * factor], "change": change}

    return [slower(line) if chosen(line) else line for line in lines]


def swinging(lines, factor, chosen):
    """`lines`, where of every two visits that are `chosen` BASE and HEAD are slower in turn."""
    there = slowed(lines, factor, lambda line: chosen(line) and line["round"] % 2)
    return slowed(there, 1 / factor, lambda line: chosen(line) and not line["round"] % 2)


def unmeasured(lines, base, head, chosen):
    """`lines`, where the sides of the visits that are `chosen` say so why there is no sample."""
    measured = "change", "seconds", "sentinel", "servers"
    return [
        {key: value for key, value in line.items() if key not in measured}
        | {"unmeasured": [base, head]}
        if chosen(line)
        else line
        for line in lines
    ]


def points_of(lines):
    points = {}
    for line in lines:
        series = dict(line["parameters"])
        name = series.pop("method", None)
        point = line["benchmark"], *series.values()
        points.setdefault(point, Point(line["benchmark"], "2", 0, {}))
        points[point].series[name] = line["parameters"]
    return list(points.values())


def of(method, memory=None, nbytes=None):
    def chosen(line):
        has = line["parameters"].get
        wanted = ("method", method), ("memory", memory), ("nbytes", nbytes)
        return all(value is None or has(name) == value for name, value in wanted)

    return chosen


class Recorded:
    def __init__(self, visits, runs=()):
        self.visits, self.runs = visits, list(runs)
        self.processes = 2 * len({line["visit"] for line in visits})


SAME = Bump(["a" * 40, "b" * 40], "cu13")


def compared(lines, runs=(), calibration=None, notes=(), bump=SAME):
    there = Recorded(lines, runs)
    return answer.Compared("here", bump, there, found(lines, calibration), notes)


@pytest.fixture(scope="module")
def calibration():
    return pairs.of(simulated.lines(seed=1))


@pytest.mark.parametrize("lines", [read, lambda: recording.read(CALIBRATION)[2]])
def test_nothing_is_found_where_nothing_changed(lines):
    came = compared(lines())
    assert (came.code, came.slower, came.faster) == (0, [], [])
    assert came.headline == "Nothing became slower"


def test_cupy_12_is_found_and_nothing_else():
    _, runs, lines = recording.read(ROOT / "tests" / "recorded" / "cupy-12.jsonl")
    came = compared(lines, runs)
    assert came.code == 1
    (one,) = came.slower
    assert (one["method"], one["memory"]) == ("cupy", "pinned")
    worst = max(one["parts"], key=lambda part: part[1])
    assert worst[0] == "new array, 32 MiB float32"
    # Its family hardly moved: the one series in it that is the same is the least noisy.
    assert one["parts"][0] == worst
    said = "Slower: cupy, pinned: 6.4 times as long (new array, 32 MiB float32"
    assert came.headline.startswith(said)
    names = {name for name, *_ in one["parts"]}
    sizes = "64 KiB", "4 MiB", "32 MiB"
    assert names >= {f"new array, {size} float32" for size in sizes}
    assert "existing array, 32 MiB float32" not in names  # ndarray.set does no such copy
    assert "cuda-python" not in came.text()
    assert came.text().count("slower: ") == len(one["parts"])


@pytest.mark.parametrize("known", [False, True])
def test_equal_stacks_say_nothing(calibration, known):
    _, runs, lines = recording.read(ROOT / "tests" / "recorded" / "equal-stacks.jsonl")
    assert runs[-1]["whole"]
    came = compared(lines, runs, calibration if known else None)
    assert (came.code, came.slower, came.faster, came.doubts) == (0, [], [], [])
    assert {line["parameters"].get("method") for line in lines} == {*METHODS, None}


def test_a_family_that_moves_is_one_finding(calibration):
    came = compared(slowed(read(), 1.25, of("torch", "pageable")), calibration=calibration)
    (one,) = came.slower
    assert (one["method"], one["memory"]) == ("torch", "pageable")
    assert one["parts"][0][0] == "all 12 series"  # not the series that chance made the worst
    assert math.expm1(one["change"]) == pytest.approx(0.25, abs=0.04)
    assert len(one["parts"]) > 6


def test_a_finding_says_whether_the_other_methods_changed_too(calibration):
    alone = compared(slowed(read(), 1.25, of("torch", "pageable")), calibration=calibration)
    assert alone.slower[0]["others"] == pytest.approx(0, abs=0.01)
    assert re.search(r"; the other methods: [+-]0\.\d %\)$", alone.headline)
    # What all methods share changed, but PyCUDA four times as much.
    lines = slowed(slowed(read(), 1.1, of(None, "pageable")), 1.3, of("pycuda", "pageable"))
    together = compared(lines, calibration=calibration).slower
    assert together[0]["method"] == "pycuda"
    assert {one["method"] for one in together} == set(METHODS)
    for one in together:
        assert math.expm1(one["others"]) == pytest.approx(0.1, abs=0.01)
        assert ("; like the other" in answer.said(one)) == (one["method"] != "pycuda")


def test_a_finding_names_the_pins_that_it_can_come_from(calibration):
    pairs_ = {"cupy-cuda13x": ("14.2.0", "12.3.0"), "pytools": ("1", "2"), "numpy": ("2", "1")}
    needed_by = {"cupy-cuda13x": {"x.in"}, "pytools": {"pycuda"}, "numpy": {"cupy-cuda13x"}}
    bump = Bump(SAME.commits, "cu13", pairs_, needed_by)
    lines = slowed(read(), 1.25, of("cupy", "pageable"))
    came = compared(lines, calibration=calibration, bump=bump)
    pins = "cupy-cuda13x 14.2.0 -> 12.3.0, pytools 1 -> 2, numpy 2 -> 1"
    assert f"\nPins that differ (cu13.txt): {pins}\n" in came.text()
    causes = "can come from cupy-cuda13x 14.2.0 -> 12.3.0, numpy 2 -> 1"
    assert f"\n  cupy, pageable: {causes}\n" in came.text()
    head = came.markdown().partition("<details>")[0]
    assert f"; {causes.replace('>', '&gt;')}\n" in head
    facts = json.loads(came.json())
    assert (facts["stack"], facts["pins"]["pytools"]) == ("cu13", ["1", "2"])
    assert facts["slower"][0]["pins"] == ["cupy-cuda13x", "numpy"]

    # What all methods share changed.
    shared = compared(slowed(read(), 1.25, of(None, "pageable")), bump=bump).slower
    assert [one["pins"] for one in shared] == 4 * [["numpy"]]

    # Neither a pin nor what it needs.
    lines = slowed(read(), 1.25, of("torch", "pageable"))
    bump = Bump(SAME.commits, "cu13", {"pytools": ("1", "2")}, needed_by)
    text = compared(lines, calibration=calibration, bump=bump).text()
    assert "\n  torch, pageable: no pin that it needs differs\n" in text
    assert "\nNo pins differ (cu13.txt)\n" in compared(read()).text()


def test_one_series_that_moves_is_told_from_its_family(calibration):
    slower = slowed(read(), 1.4, of("pycuda", "pageable", 1024))
    (one,) = compared(slower, calibration=calibration).slower
    assert {name for name, *_ in one["parts"]} <= {
        "new array, 1 KiB float32",
        "existing array, 1 KiB float32",
        "all 12 series",
    }
    assert len(one["parts"]) >= 2


def test_a_family_moves_by_less_than_any_of_its_series_could_tell(calibration):
    ours = "method == 'cupy' and kind == 'pinned, below'"
    before = found(read(), calibration)
    rows, (family,) = before.series.query(ours), before.families.query(ours).to_dict("records")
    told_from = family["bound"] - family["change"], (rows["bound"] - rows["change"]).min()
    assert told_from[0] < told_from[1]
    slower = slowed(read(), math.exp(numpy.mean(told_from)), of("cupy", "pinned"))
    came = compared(slower, calibration=calibration)
    (one,) = came.slower
    assert any(name.startswith("all 8 series, below") for name, *_ in one["parts"])
    assert came.found.series.query(ours)["found"].eq("").all()


def test_faster_is_said_and_fails_nothing(calibration):
    came = compared(slowed(read(), 0.6, of("torch")), calibration=calibration)
    assert (came.code, came.slower) == (0, [])
    assert {one["method"] for one in came.faster} == {"torch"}
    assert "faster: torch, pinned" in came.text()


def test_an_odd_process_several_times_too_slow_is_nothing():
    came = compared(slowed(read(), 5, lambda line: line["round"] == 0))
    assert (came.code, came.slower) == (0, [])


def test_what_matters_less_is_no_finding():
    assert numpy.isclose(verdict.bound(1e-9, 100, 10, 0.03), 0.03)
    assert verdict.bound(0.01, 100, 100, 0.03) > verdict.bound(0.01, 100, 10, 0.03) > 0.03


def test_more_noise_of_its_own_makes_a_series_harder_to_find(calibration):
    mine = "method == 'torch' and nbytes == 1024 and memory == 'pinned'"
    noisy = calibration.copy()
    noisy.loc[noisy.eval(mine), "change"] = 9
    errors = [
        verdict.judge(calibration, known).series.query(mine)["error"]
        for known in (calibration, noisy)
    ]
    assert (errors[1] > 1.5 * errors[0]).all()


def test_where_a_doubt_is_more_is_measured():
    ours = f"method == 'cupy' and memory == 'pinned' and nbytes == {4 << 20}"
    rows = found(read()).series.query(ours)
    factor = math.exp((rows["bound"] - rows["change"]).mean())
    slower = slowed(read(), factor, of("cupy", "pinned", 4 << 20))
    points = points_of(slower)
    more = running.suspects(found(slower), points, wanted=8)
    assert 0 < len(more) < len(points) / 2
    assert any("cupy" in point.series for point in more)
    assert all(len(point.series) == len(METHODS) for point in more if "cupy" in point.series)
    assert not running.suspects(found(slower), points, wanted=4)


def test_what_is_clear_is_not_looked_at_again_and_what_is_noisy_is():
    rows = found(slowed(read(), 3, of("cupy"))).series
    assert rows[rows["method"].eq("cupy") & rows["memory"].eq("pinned")]["clear"].all()
    assert not rows[rows["clear"]]["near"].any()
    large = of(None, "pageable", 32 << 20)
    calm = [{**line, "change": line["change"] / 10} for line in read()]
    lines = swinging(calm, 2, large)
    few = found(lines)
    noisy = few.series[verdict.promise(few.series) > verdict.NOISY]
    assert set(noisy["nbytes"]) == {32 << 20}
    assert set(noisy["memory"]) == {"pageable"}
    points = points_of(filter(large, lines))
    assert running.suspects(few, points, wanted=8) == points


def test_too_noisy_to_see_anything_is_a_doubt():
    came = compared(swinging(read(), 9, lambda line: True))
    assert came.code == 2
    assert "even +100 % may be missed" in came.headline


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        ({"skipped": "cupy is missing"}, "have one side only: in HEAD cupy is missing"),
        ({"failed": "ValueError: wrong bytes"}, "failed in HEAD: ValueError: wrong bytes"),
    ],
)
def test_one_side_that_was_not_measured_is_a_doubt(change, doubt):
    came = compared(unmeasured(read(), {}, change, of("cupy")))
    assert came.code == 2
    assert came.headline == f"Cannot say: 24 points {doubt}"


def test_a_process_that_failed_once_is_a_doubt_though_others_measured():
    failed = unmeasured(read()[:1], {}, {"failed": "Segmentation fault"}, lambda line: True)
    for lines in [*failed, *read()], [*read(), *failed]:
        came = compared(lines)
        assert came.code == 2
        assert came.headline == "Cannot say: 1 points failed in HEAD: Segmentation fault"


def test_what_failed_on_both_sides_is_said_of_both():
    line = {key: read()[0][key] for key in ("benchmark", "parameters", "visit", "ended")}
    why = {"failed": "asv: benchmark timed out"}
    came = compared([*read(), {**line, "round": 9, "unmeasured": [why, why]}])
    assert came.headline.endswith("1 points failed in BASE and HEAD: asv: benchmark timed out")


def test_points_that_no_side_could_measure_are_said():
    why = {"skipped": "no cupy"}
    came = compared(unmeasured(read(), why, why, of("cupy")))
    assert came.code == 0
    assert "24 points were not measured: no cupy" in came.text()


def test_a_budget_that_ends_in_doubt_is_a_doubt_unless_something_is_clear(calibration):
    there = Recorded(read())
    for factor, code in (1.0, 2), (3.0, 1):
        judged = found(slowed(read(), factor, of("cupy")))
        came = answer.Compared("here", SAME, there, judged, [], ["the budget ended"])
        assert came.code == code
        assert "the budget ended" in came.text()


def test_a_fault_of_the_machine_is_a_doubt_and_no_finding():
    _, runs, lines = recording.read(ROOT / "tests" / "recorded" / "cupy-12.jsonl")
    alarm = "The GPU was throttled while it transferred: hardware thermal slowdown"
    came = compared(lines, [{**runs[-1], "alarms": [alarm]}])
    assert came.code == 2
    assert came.headline == f"Cannot say: {alarm}"
    assert "slower: cupy, pinned" in came.text()


def test_too_few_processes_are_a_doubt(calibration):
    few = [line for line in read() if line["round"] < FEWEST - 1]
    came = compared(slowed(few, 3, of("torch")), calibration=calibration)
    assert came.code == 2
    assert "series have fewer than 4 processes a side" in came.headline
    assert came.slower == []


def test_markdown_is_short_and_folds_the_details(calibration):
    _, runs, lines = recording.read(ROOT / "tests" / "recorded" / "cupy-12.jsonl")
    text = compared(lines, runs, calibration).markdown()
    head = text.partition("<details>")[0]
    assert head.startswith("**Slower**\n")
    assert "- slower: cupy, pinned: 6.4 times as long (new array, 32 MiB" in head
    assert len(head.splitlines()) < 10
    assert text.count("<details>") == text.count("</details>") == 2
    escaped = answer.CannotSay("a | b <script> `c`").markdown()
    assert escaped == "**Cannot say**: a \\| b &lt;script&gt; \\`c\\`\n"


def test_json_has_all_of_it(calibration):
    _, runs, lines = recording.read(ROOT / "tests" / "recorded" / "cupy-12.jsonl")
    facts = json.loads(compared(lines, runs, calibration).json())
    assert facts["code"] == 1
    assert len(facts["series"]) == pairs.of(lines).groupby(pairs.SERIES).ngroups
    assert facts["slower"][0]["method"] == "cupy"
    assert facts["slower"][0]["others"] is None  # a visit was of one series


# The gate's own errors ---------------------------------------------------------------------------


@pytest.mark.parametrize("looks", [1, 2])
def test_a_replay_judges_as_the_gate_does(calibration, looks):
    series, changes, _ = replay.matrix(calibration)
    first = calibration.groupby(pairs.SERIES, sort=False).head(FEWEST)
    again = [first.assign(visit=first["visit"] + 1000 * look) for look in range(looks)]
    judged = verdict.judge(pandas.concat(again, ignore_index=True))
    judge = replay.Judge(series)
    change, error, bound = judge.series(numpy.tile(changes, looks)[None])
    rows = judged.series.set_index(pairs.SERIES).loc[series.set_index(pairs.SERIES).index]
    assert numpy.allclose(rows["change"], change[0])
    assert numpy.allclose(rows["bound"], bound[0])
    families, bounds = judge.families_of(change, error)
    assert numpy.allclose(judged.families["change"], families[0])
    assert numpy.allclose(judged.families["bound"], bounds[0])


def test_replays_draw_every_visit_once_before_any_comes_again(calibration):
    _, changes, servers = replay.matrix(calibration)
    drawn = replay.draw(changes, servers, 3, 7, numpy.random.default_rng(0))
    assert drawn.shape == (3, len(changes), 7)
    assert numpy.allclose(numpy.sort(abs(drawn[1, :, :FEWEST]), 1), numpy.sort(abs(changes), 1))
    assert not numpy.array_equal(abs(drawn[0, :, :FEWEST]), abs(drawn[1, :, :FEWEST]))
    again = abs(drawn[2, :, FEWEST:])
    assert all(
        numpy.isin(mine, abs(there)).all() for mine, there in zip(again, changes, strict=True)
    )


def test_a_replay_has_all_visits_that_each_series_has(calibration):
    more = pairs.of(simulated.lines(6))
    missing = more["benchmark"].eq("reference.Link.time_link") & more["round"].eq(5)
    assert replay.matrix(more)[1].shape == (102, 6)
    assert replay.matrix(more[~missing])[1].shape == (102, 5)


@pytest.mark.parametrize(("place", "alarm"), [(1, True), (6, False)])
def test_a_doubt_in_a_replay_brings_more_visits_of_all_series_of_its_point(
    calibration, place, alarm
):
    """The series at `place` would be found at the second look; only the first one is near."""
    series = replay.matrix(calibration)[0].sort_values(["benchmark", "memory", "nbytes"])
    judge = replay.Judge(series.reset_index(drop=True))
    error = bound = numpy.ones((1, len(series)))
    first, later = numpy.zeros((2, 1, len(series)))
    first[0, 0], later[0, place] = 0.6, 2
    looks = [(first, error, bound), *2 * [(later, error, bound)]]
    assert replay.alarms(judge, looks) == [alarm]


def test_replays_swap_the_sides_of_all_visits_with_the_same_servers():
    changes = numpy.arange(1.0, 401).reshape(100, 4)
    servers = numpy.repeat(numpy.arange(50), 8).reshape(100, 4)
    swapped = []
    for run in replay.draw(changes, servers, 4, 4, numpy.random.default_rng(0)):
        signs = numpy.sign(run.ravel()[numpy.argsort(abs(run.ravel()))])
        assert (signs == numpy.repeat(signs[::8], 8)).all()
        assert 10 < (signs[::8] > 0).sum() < 40
        swapped.append(tuple(signs))
    assert len(set(swapped)) == 4


def test_what_the_series_of_a_visit_have_in_common_is_seen():
    many = pairs.of(simulated.lines(40))
    many = many[many["method"].ne("link") & many["kind"].eq("pageable")]
    assert evaluate.correlation(many, ["visit"]) == pytest.approx(simulated.COMMON, abs=0.05)
    assert evaluate.correlation(many, ["servers"]) < 0.1  # most are of different visits


def test_what_a_visits_series_have_in_common_makes_few_false_alarms():
    """docs/gate.md has the figures."""
    found = list(simulated.table())
    assert all(row in (ROOT / "docs" / "gate.md").read_text() for row in found)
    for row in found[2:]:
        assert float(row.split()[-3]) <= 0.5


def test_a_slowdown_that_is_replayed_as_found_is_found(calibration):
    """What evaluate says of one injected slowdown is what the gate does with it, look for look."""
    series, *there = replay.matrix(calibration)
    judge = replay.Judge(series)
    drawn = replay.draw(*there, 2, verdict.LOOKS[-1], numpy.random.default_rng(1))

    def looks(drawn):
        return [judge.series(drawn[:, :, :count]) for count in verdict.LOOKS]

    needed = replay.needed([(change, bound) for change, _, bound in looks(drawn)])
    for run, place in (0, 0), (1, len(series) // 2):
        for extra, expected in ((1e-6, True), (-1e-6, False)):
            injected = drawn.copy()
            injected[run, place] += needed[run, place] + extra
            found = False
            for look, (change, _, bound) in enumerate(looks(injected), 1):
                there, least = change[run, place], bound[run, place]
                last = look == len(verdict.LOOKS)
                found = there >= (1 if last else verdict.CLEAR) * least
                if found or not verdict.near(there, least):
                    break
            assert found == expected


def test_what_is_clear_is_measured_no_more():
    slower = slowed(read(), 3, of("cupy", "pinned"))
    points = points_of(slower)
    judged = found(slower)
    judged.families["near"] = True
    again = running.suspects(judged, points, 9)
    # The other methods of the same points are not clear, and a visit brings all of them.
    assert len(again) == len(points)
    judged.series["clear"] |= judged.series["memory"].eq("pinned")
    again = {
        one["memory"]
        for point in running.suspects(judged, points, 9)
        for one in point.series.values()
    }
    assert again == {"pageable"}


def verdict_of(changed="", clear=False, visits=4, bound=0.01, count=4):
    """A verdict of `count` series; `changed` is what is found of the first, and of its family."""
    series = pandas.DataFrame(
        {"found": [changed, *[""] * (count - 1)], "clear": clear, "visits": visits}
    ).assign(bound=bound, error=bound / 4)
    return verdict.Verdict(series, series.head(1))


SKIPPED, FAILED = {"skipped": "torch is not installed"}, {"failed": "MemoryError"}


def point(*sides):
    return {"benchmark": "b", "parameters": {"nbytes": 1024}, "unmeasured": list(sides)}


@pytest.mark.parametrize(
    ("given", "lines", "alarms", "cut_short", "code", "doubt"),
    [
        (verdict_of(), [], [], [], 0, None),
        (verdict_of("faster"), [], [], [], 0, None),
        (verdict_of("slower"), [], [], [], 1, None),
        (verdict_of("slower"), [], ["throttled", "throttled"], [], 2, "throttled"),
        (verdict_of(), [], [], ["the budget ended"], 2, "the budget ended"),
        (verdict_of("slower", clear=True), [], [], ["the budget ended"], 1, None),
        (verdict_of(), [point(SKIPPED, SKIPPED)], [], [], 0, None),
        (verdict_of(), [point({}, SKIPPED)], [], [], 2, "1 points have one side only: in HEAD"),
        (verdict_of("slower"), [point(FAILED, FAILED)], [], [], 2, "failed in BASE and HEAD"),
        (verdict_of(visits=3), [], [], [], 2, "4 series have fewer than 4 processes a side"),
        (verdict_of(bound=1.0), [], [], [], 2, "too noisy: in 4 of 4 series even +100 %"),
        (verdict_of("slower", bound=1.0), [], [], [], 1, None),
    ],
)
def test_the_exit_code(given, lines, alarms, cut_short, code, doubt):
    decided = decision.decide(given, lines, alarms, cut_short)
    assert decided.code == code
    assert len(decided.doubts) == (doubt is not None)
    assert not doubt or decided.doubts[0].startswith(doubt) or doubt in decided.doubts[0]
