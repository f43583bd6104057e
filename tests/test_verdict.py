"""The gate's statistics, on what was recorded on real GPUs.

The calibration in results/ is eight processes a point of one H100 with nothing changed;
recorded/cupy-12.jsonl is gate.py compare there of a stack with CuPy 14.2.0 (and NumPy 2.5.5) and
one with CuPy 12.3.0 (and NumPy 1.26.4), which copies pinned sources once more on the host.
"""

import json
import math

import numpy
import pandas
import pytest
from regression import outcome, pairs, recorded, recording, replay, running, verdict
from regression.pairs import FEWEST

from tests.conftest import ROOT

CALIBRATION = ROOT / "results" / "nvidia-h100-80gb-hbm3" / "calibration.jsonl"


def read(path=CALIBRATION):
    return recording.read(path)[2]


def found(processes, calibration=None):
    visits = pairs.of(recording.table(processes))
    return verdict.judge(visits, calibration)


def slowed(processes, factor, chosen):
    """`processes` with those of HEAD that are `chosen` (by their line) `factor` times as long."""
    return [
        {**line, "seconds": line["seconds"] * factor}
        if line["side"] == 1 and chosen(line)
        else line
        for line in processes
    ]


def of(method, memory=None, nbytes=None):
    def chosen(line):
        has = line["parameters"].get
        wanted = ("method", method), ("memory", memory), ("nbytes", nbytes)
        return all(value is None or has(name) == value for name, value in wanted)

    return chosen


class Recorded:
    def __init__(self, processes, runs=()):
        self.processes, self.runs = processes, list(runs)


def compared(processes, runs=(), calibration=None, notes=()):
    there = Recorded(processes, runs)
    commits = ["a" * 40, "b" * 40]
    return outcome.Compared("here", commits, there, found(processes, calibration), notes)


@pytest.fixture(scope="module")
def calibration():
    return pairs.of(recording.table(read()))


def test_nothing_is_found_where_nothing_changed():
    came = compared(read())
    assert (came.code, came.slower, came.faster) == (0, [], [])
    assert came.headline == "Nothing became slower"


def test_cupy_12_is_found_and_nothing_else(calibration):
    _, runs, processes = recording.read(ROOT / "tests" / "recorded" / "cupy-12.jsonl")
    came = compared(processes, runs, calibration)
    assert came.code == 1
    (one,) = came.slower
    assert (one["method"], one["memory"]) == ("cupy", "pinned")
    worst = max(one["parts"], key=lambda part: part[1])
    assert worst[0] == "new array, 32 MiB float32"
    assert came.headline.startswith("Slower: cupy, pinned: +")
    names = {name for name, *_ in one["parts"]}
    sizes = "64 KiB", "4 MiB", "32 MiB"
    assert names >= {f"new array, {size} float32" for size in sizes}
    assert "existing array, 32 MiB float32" not in names  # ndarray.set does no such copy
    assert "cuda-python" not in came.text()
    assert came.text().count("slower: ") == len(one["parts"])


def test_a_family_that_moves_is_one_finding(calibration):
    came = compared(slowed(read(), 1.25, of("torch", "pageable")), calibration=calibration)
    (one,) = came.slower
    assert (one["method"], one["memory"]) == ("torch", "pageable")
    assert one["parts"][0][0] == "all 12 series"  # not the series that chance made the worst
    assert math.expm1(one["change"]) == pytest.approx(0.25, abs=0.04)
    assert len(one["parts"]) > 6


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
    slower = slowed(read(), 1.045, of("cupy", "pinned"))
    came = compared(slower, calibration=calibration)
    (one,) = came.slower
    assert any(name.startswith("all 8 series, below") for name, *_ in one["parts"])
    below = came.found.series.query("method == 'cupy' and kind == 'pinned, below'")
    assert below["found"].eq("").all()


def test_faster_is_said_and_fails_nothing(calibration):
    came = compared(slowed(read(), 0.6, of("torch")), calibration=calibration)
    assert (came.code, came.slower) == (0, [])
    assert {one["method"] for one in came.faster} == {"torch"}
    assert "faster: torch, pinned" in came.text()


def test_an_odd_process_several_times_too_slow_is_nothing():
    def odd(line):
        return line["round"] == 0

    came = compared(slowed(read(), 5, odd))
    assert (came.code, came.slower) == (0, [])


def test_what_matters_less_is_no_finding():
    assert numpy.isclose(verdict.bound(1e-9, 100, 10, 0.03), 0.03)
    assert verdict.bound(0.01, 100, 100, 0.03) > verdict.bound(0.01, 100, 10, 0.03) > 0.03


def test_more_noise_of_its_own_makes_a_series_harder_to_find(calibration):
    noisy = calibration.copy()
    mine = noisy["method"].eq("torch") & noisy["nbytes"].eq(1024) & noisy["memory"].eq("pinned")
    noisy.loc[mine, "change"] *= 10
    bounds = [verdict.judge(calibration, known).series["bound"] for known in (calibration, noisy)]
    rows = verdict.judge(calibration, noisy).series
    mine = rows["method"].eq("torch") & rows["nbytes"].eq(1024) & rows["memory"].eq("pinned")
    assert (bounds[1][mine] > 2 * bounds[0][mine]).all()


def test_where_a_doubt_is_more_is_measured():
    slower = slowed(read(), 1.08, of("cupy", "pinned", 4 << 20))
    points = {
        (line["benchmark"], *line["parameters"].values()): line["parameters"] for line in slower
    }
    points = [Point(key[0], parameters) for key, parameters in points.items()]
    more = running.suspects(found(slower), points, wanted=8)
    assert 0 < len(more) < len(points) / 2
    assert "cupy" in {point.parameters.get("method") for point in more}
    assert not running.suspects(found(slower), points, wanted=4)


def test_what_is_clear_is_not_looked_at_again_and_what_is_noisy_is():
    rows = found(slowed(read(), 3, of("cupy"))).series
    assert rows[rows["method"].eq("cupy") & rows["memory"].eq("pinned")]["clear"].all()
    assert not rows[rows["clear"]]["near"].any()
    few = found(read())
    noisy = few.series[verdict.promise(few.series) > verdict.NOISY]
    assert set(noisy["nbytes"]) == {32 << 20}
    assert set(noisy["memory"]) == {"pageable"}
    lines = [line for line in read() if of(None, "pageable", 32 << 20)(line)]
    points = [Point(line["benchmark"], line["parameters"]) for line in lines]
    assert running.suspects(few, points, wanted=8)


def test_too_noisy_to_see_anything_is_a_doubt():
    there = slowed(read(), 9, lambda line: line["round"] % 2)
    came = compared(slowed(there, 1 / 9, lambda line: not line["round"] % 2))
    assert came.code == 2
    assert "even +100 % may be missed" in came.headline


class Point:
    def __init__(self, benchmark, parameters):
        self.benchmark, self.parameters = benchmark, parameters


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        ({"skipped": "cupy is missing"}, "have one side only: in HEAD cupy is missing"),
        ({"failed": "ValueError: wrong bytes"}, "failed in HEAD: ValueError: wrong bytes"),
    ],
)
def test_one_side_that_was_not_measured_is_a_doubt(change, doubt):
    gone = [
        {key: value for key, value in line.items() if key != "seconds"} | change
        if line["side"] == 1 and of("cupy")(line)
        else line
        for line in read()
    ]
    came = compared(gone)
    assert came.code == 2
    assert came.headline == f"Cannot say: 24 points {doubt}"


def test_a_process_that_failed_once_is_a_doubt_though_others_measured():
    line = {key: value for key, value in read()[0].items() if key != "seconds"}
    came = compared([*read(), {**line, "round": 9, "failed": "Segmentation fault"}])
    assert came.code == 2
    assert came.headline.startswith("Cannot say: 1 points failed in ")


def test_points_that_no_side_could_measure_are_said():
    gone = [
        {key: value for key, value in line.items() if key != "seconds"} | {"skipped": "no cupy"}
        if of("cupy")(line)
        else line
        for line in read()
    ]
    came = compared(gone)
    assert came.code == 0
    assert "24 points were not measured: no cupy" in came.text()


def test_a_budget_that_ends_in_doubt_is_a_doubt_unless_something_is_clear(calibration):
    there = Recorded(read())
    commits = ["a" * 40, "b" * 40]
    for factor, code in (1.0, 2), (3.0, 1):
        judged = found(slowed(read(), factor, of("cupy")))
        came = outcome.Compared("here", commits, there, judged, [], ["the budget ended"])
        assert came.code == code
        assert "the budget ended" in came.text()


def test_a_fault_of_the_machine_is_a_doubt_and_no_finding():
    _, runs, processes = recording.read(ROOT / "tests" / "recorded" / "cupy-12.jsonl")
    alarm = "The GPU was throttled while it transferred: hardware thermal slowdown"
    came = compared(processes, [{**runs[-1], "alarms": [alarm]}])
    assert came.code == 2
    assert came.headline == f"Cannot say: {alarm}"
    assert "slower: cupy, pinned" in came.text()


def test_too_few_processes_are_a_doubt(calibration):
    few = [line for line in read() if line["round"] < FEWEST - 1]
    came = compared(slowed(few, 3, of("torch")), calibration=calibration)
    assert came.code == 2
    assert "series have fewer than 4 processes a side" in came.headline
    assert came.slower == []


def test_visits_that_were_not_quiet_only_fill_up():
    processes = read()
    visits = pairs.of(recording.table(processes))
    assert visits.groupby(pairs.SERIES).size().min() == FEWEST
    assert not visits["quiet"].all()
    more = visits.groupby(pairs.SERIES)["quiet"].agg(["size", "sum"])
    assert (more["size"] == more["sum"].clip(lower=FEWEST)).all()
    lowest = pairs.level(processes)
    slow = {**processes[0], "sentinel": 1.2 * lowest}
    assert not pairs.clean(slow["samples"], slow["quiet"], slow["sentinel"], lowest)
    assert pairs.clean(25, 25, 1.1 * lowest, lowest)
    assert not pairs.clean(25, 24, lowest, lowest)


def test_markdown_is_short_and_folds_the_details(calibration):
    _, runs, processes = recording.read(ROOT / "tests" / "recorded" / "cupy-12.jsonl")
    text = compared(processes, runs, calibration).markdown()
    head = text.partition("<details>")[0]
    assert head.startswith("**Slower**\n")
    assert "- slower: cupy, pinned: +" in head
    assert len(head.splitlines()) < 8
    assert text.count("<details>") == text.count("</details>") == 2
    escaped = outcome.CannotSay("a | b <script> `c`").markdown()
    assert escaped == "**Cannot say**: a \\| b &lt;script&gt; \\`c\\`\n"


def test_json_has_all_of_it(calibration):
    _, runs, processes = recording.read(ROOT / "tests" / "recorded" / "cupy-12.jsonl")
    facts = json.loads(compared(processes, runs, calibration).json())
    assert facts["code"] == 1
    assert len(facts["series"]) == 15
    assert facts["slower"][0]["method"] == "cupy"


# The gate's own errors ---------------------------------------------------------------------------


@pytest.mark.parametrize("looks", [1, 2])
def test_a_replay_judges_as_the_gate_does(calibration, looks):
    series, changes = replay.matrix(calibration)
    first = calibration.groupby(pairs.SERIES, sort=False).head(FEWEST)
    again = [first.assign(round=first["round"] + 100 * look) for look in range(looks)]
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
    _, changes = replay.matrix(calibration)
    drawn = replay.draw(changes, 3, 2, numpy.random.default_rng(0))
    for part in drawn[1, :, :FEWEST], drawn[1, :, FEWEST:]:
        assert numpy.allclose(numpy.sort(abs(part), 1), numpy.sort(abs(changes), 1))
        assert 0.4 < (part > 0).mean() < 0.6
    assert not numpy.array_equal(drawn[0], drawn[1])


def test_a_slowdown_that_is_replayed_as_found_is_found(calibration):
    """What evaluate says of one injected slowdown is what the gate does with it, look for look."""
    series, changes = replay.matrix(calibration)
    judge = replay.Judge(series)
    drawn = replay.draw(changes, 2, 4, numpy.random.default_rng(1))

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


class Options:
    machine = None


def test_readme_has_the_figures_that_evaluate_gives():
    came = recorded.evaluate(Options)
    readme = (ROOT / "README.md").read_text()
    facts = json.loads(came.json())
    assert facts["runs"] >= 1000
    assert 100 * facts["looks"][-1]["false_alarms"] / facts["runs"] <= 1
    rows = [line for line in came.markdown().splitlines() if line.startswith("| p")]
    assert len(rows) == 36
    kept = [row for row in rows if "| any size |" in row or "| a family |" in row]
    kept += [row for row in rows if "| pageable | 32 MiB |" in row]
    for row in kept:
        assert row in readme
    for line in came.markdown().splitlines():
        if " false alarms in " in line:
            assert line.replace("**", "") in " ".join(readme.replace("**", "").split()), line


def test_a_visit_that_was_made_again_counts_as_it_was_made_last():
    processes = read()
    again = {**processes[0], "seconds": 9 * processes[0]["seconds"]}
    visits = pairs.of(recording.table([again, *processes]))
    assert visits.equals(pairs.of(recording.table(processes)))


def test_what_is_clear_is_measured_no_more():
    slower = slowed(read(), 3, of("cupy", "pinned"))
    points = [Point(line["benchmark"], line["parameters"]) for line in slower]
    judged = found(slower)
    judged.families["near"] = True
    again = {tuple(point.parameters.values())[:2] for point in running.suspects(judged, points, 9)}
    assert ("cupy", "pinned") not in again
    assert ("torch", "pinned") in again
