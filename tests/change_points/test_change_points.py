"""The change points of a history, made of recorded results: what is one, and what is said of it."""

import ast
import collections
import functools
import itertools
import json
import re
import shutil
import subprocess

import numpy
import pandas
import pytest
from asv.results import Results

from scripts.change_points import detector, history, in_words, least, what_changed
from scripts.reading.chosen import NoSuchResult
from scripts.recording import noise
from scripts.words.thresholds import unchanged
from tests import derived
from tests.conftest import VERSION_1

H100 = "nvidia-h100-80gb-hbm3"
NUMBER = 9  # commits of a history
DAY = 86_400_000
COMMITS = [f"{number:08x}" * 5 for number in range(0xC0FFEE00, 0xC0FFEE00 + NUMBER)]


def recorded():
    """{(benchmark, index): parameters} of the transfers that derived.py multiplies, and
    {kind: how far the logarithms of the processes' medians are from those of their points}."""
    path = f"{derived.VERSION_1}.json"
    results = Results.load(str(path), machine_name=derived.MACHINE)
    noted, known, off = noise.load(noise.path_beside(path)), {}, collections.defaultdict(list)
    for name in results.get_all_result_keys():
        axes = results.get_result_params(name)
        given = itertools.product(*([ast.literal_eval(value) for value in axis] for axis in axes))
        samples = results.get_result_samples(name, axes)
        if "HostToDevice" not in name and "Link" not in name:
            continue
        for index, (point, taken) in enumerate(zip(given, samples, strict=True)):
            memory, nbytes = (point[1], point[3]) if len(point) == 4 else ("pinned", 32 << 20)
            known[name, index] = point
            ends = numpy.cumsum(noted[name, *point]["samples"])[:-1]
            logs = [numpy.log(numpy.median(one)) for one in numpy.split(numpy.array(taken), ends)]
            spread = numpy.sqrt(len(logs) / (len(logs) - 1))
            off[unchanged(memory, nbytes)] += list((logs - numpy.mean(logs)) * spread)
    return known, off


KNOWN, OFF = recorded()


def made(results, change=lambda commit, point: 1.0, commits=COMMITS, facts=None, seed=0):
    """A history on "m", each point of it two processes drawn from those that were recorded.

    `change` gives the factor of the seconds, from the number of the commit and the parameters.
    """
    random = numpy.random.default_rng(seed)
    for number, commit in enumerate(commits):

        def factor(benchmark, index, number=number):
            point = KNOWN.get((benchmark, index))
            if point is None:
                return 1.0
            memory, nbytes = (point[1], point[3]) if len(point) == 4 else ("pinned", 32 << 20)
            drawn = random.choice(OFF[unchanged(memory, nbytes)], 2)
            return float(numpy.exp(drawn.mean())) * change(number, point)

        about = facts and facts(number)
        derived.result(results, "m", commit, DAY * (number + 1), factor, about)
    return results


def torch_pinned(factor, where):
    return lambda number, point: factor if where(number) and point[:2] == ("torch", "pinned") else 1


def test_a_slower_method_is_one_change_at_its_commit(tmp_path):
    made(tmp_path, torch_pinned(1.3, lambda number: number >= 4))
    (change,), said = history.of_machine(tmp_path, "m")
    assert (change.commit, change.before) == (COMMITS[4], COMMITS[3])
    assert f"{change.date:%Y-%m-%d %H}" == "1970-01-06 00"
    assert (change.method, change.memory) == ("torch", "pinned")
    assert change.slower
    assert not change.candidate
    assert change.low_99 < 30 < change.high_99 < change.low_99 + 20
    assert change.low_99 < change.percent < change.high_99
    assert [family["operation"] for family in change.families] == ["existing_array", "new_array"]
    for family in change.families:
        assert family["of"] == 35
        assert len(family["series"]) > 30
        assert min(one["percent"] for one in family["series"]) > 20
        assert max(one["percent"] for one in family["series"]) < 45
    assert change.pins is None
    assert change.facts is None
    assert "git does not have the requirements of c0ffee03 and c0ffee04" in " ".join(said)
    assert "No provenance of c0ffee03 and c0ffee04" in " ".join(said)


def test_one_odd_commit_is_no_change(tmp_path):
    made(tmp_path, torch_pinned(1.5, lambda number: number == 4))
    assert history.of_machine(tmp_path, "m")[0] == []


@pytest.mark.parametrize("number", [3, NUMBER])
def test_nothing_changed(tmp_path, number):
    made(tmp_path, commits=COMMITS[:number], seed=number)
    changes, _ = history.of_machine(tmp_path, "m")
    assert changes == []
    said = ["in 9 commits", "m_1: said"]
    assert in_words.text(changes, said) == "No change found in 9 commits.\nm_1: said\n"
    found = "No change found in 9 commits.\n\n- m\\_1: said\n"
    assert in_words.markdown(changes, said) == found


def test_the_newest_commit_alone_is_a_candidate_until_another_confirms_it(tmp_path):
    made(tmp_path, torch_pinned(0.7, lambda number: number >= 4), COMMITS[:5])
    (change,), _ = history.of_machine(tmp_path, "m")
    assert change.commit == COMMITS[4]
    assert change.candidate
    for words in in_words.text, in_words.markdown:
        assert "which may be an outlier" in words([change], [])
    made(tmp_path, torch_pinned(0.7, lambda number: number >= 4), COMMITS[:6])
    (change,), _ = history.of_machine(tmp_path, "m")
    assert change.commit == COMMITS[4]
    assert not change.candidate
    assert not change.slower
    assert change.low_99 < -30 < change.high_99 < 0
    assert "torch, pinned: " in in_words.text([change], [])
    assert " % less time" in in_words.text([change], [])
    assert "outlier" not in in_words.text([change], [])


def commit(folder, **pins):
    folder.joinpath("requirements").mkdir(exist_ok=True)
    lines = (f"{name}=={version}\n" for name, version in pins.items())
    folder.joinpath("requirements", "cu13.txt").write_text("".join(lines))
    who = "-c", "user.name=test", "-c", "user.email=test@test"
    git = ["git", *who]
    subprocess.run([*git, "init", "-q"], cwd=folder, check=True)
    subprocess.run([*git, "add", "-A"], cwd=folder, check=True)
    subprocess.run([*git, "commit", "-qm", "a", "--allow-empty"], cwd=folder, check=True)
    return subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=folder, text=True).strip()


def test_what_changed_is_named(tmp_path, monkeypatch):
    repository = tmp_path / "repository"
    repository.mkdir()
    in_it = functools.partial(what_changed.git.text, cwd=repository)
    monkeypatch.setattr(what_changed.git, "text", in_it)
    pinned = [{"torch": "2.1", "numpy": "2.0", "run": str(run)} for run in range(4)]
    pinned[2] |= {"torch": "2.2"}
    pinned[3] |= {"torch": "2.2"}
    commits = [commit(repository, **pins) for pins in pinned]

    def facts(number):
        driver = "580" if number < 2 else "590"
        return {"huge pages": "always" if number < 2 else "never", "kernel": "6", "driver": driver}

    results = tmp_path / "results"
    slower = torch_pinned(1.4, lambda number: number >= 2)
    made(results, slower, commits, facts)
    (change,), said = history.of_machine(results, "m")
    assert change.pins == {"cu13: torch": ("2.1", "2.2"), "cu13: run": ("1", "2")}
    assert change.facts == {"driver": ("580", "590"), "huge pages": ("always", "never")}
    assert list(change.facts) == ["driver", "huge pages"]  # what counts comes first
    seen, driver, doubt = said
    assert seen.startswith("in 4 commits; 567 of 567 series have enough of them (3) to say; a step")
    assert seen.endswith(" would have been found where none was")
    assert doubt.startswith(f"Doubtful, {commits[0][:8]}, {commits[3][:8]}: ")  # of no step
    since = "Where driver 590 came, in the place of 580: pinned with torch takes "
    assert re.match(rf"{since}\d\d\.\d % more time; by seconds", driver)

    count, *shown = in_words.text([change], said[:1]).splitlines()
    assert count == f"1 change found {seen}."
    after, before = (f"{one[:8]} (doubtful)" for one in (commits[2], commits[1]))
    assert shown[0] == f"1970-01-04 {after}, after {before}"
    assert shown[1].startswith("  torch, pinned: ")
    assert re.search(r" % more time in seconds \(99 %: \+\S+ to \+\S+ %\), ", shown[1])
    assert shown[2].startswith("    existing array, +")
    assert shown[2].count("iB +") == 7
    assert shown[-2] == "  pins: cu13: torch 2.1 -> 2.2; cu13: run 1 -> 2"
    assert shown[-1] == "  recorded facts: driver 580 -> 590; huge pages always -> never"
    assert "- recorded facts: driver 580 -&gt; 590" in in_words.markdown([change], said)
    read = json.loads(json.dumps(in_words.as_json([change], said)))["changes"][0]
    assert read["date"] == "1970-01-04T00:00:00+00:00"
    assert read["commit"] == commits[2]
    assert read["slower"] is True
    assert read["facts"]["driver"] == ["580", "590"]

    path = results / "m" / f"{commits[2][:8]}-existing-py3.12.provenance.jsonl"
    path.write_text("[]\n")
    (change,), said = history.of_machine(results, "m")
    assert change.facts is None
    assert change.pins
    assert said[1:-1] == [
        f"Left out: m/{path.name}: its provenance file is broken",
        f"No provenance of {commits[2][:8]}: its driver, kernel and versions are not known",
        "Where driver 590 came, in the place of 580: cannot say, it takes 2 results on either side",
    ]


def test_the_recorded_history_has_no_change(tmp_path):
    results = tmp_path / "results"
    (results / H100).mkdir(parents=True)
    shutil.copy(VERSION_1 / "benchmarks.json", results)
    shutil.copy(VERSION_1 / H100 / "machine.json", results / H100)
    for commit in "ed7e6411", "4be76dc1", "e62adfd3", "b0cf0fc0":  # a later one may be a change
        for path in (VERSION_1 / H100).glob(f"{commit}-*"):
            shutil.copy(path, results / H100)
    changes, said = history.of_machine(results, H100)
    assert changes == []
    seen = "in 4 commits; 64 of 567 series have enough of them (3) to say; a step of a library of "
    assert said[0].startswith(seen)
    assert re.match(r"Every driver recorded here is [\d.]+: nothing tells", said[1])
    assert len(said) == 4  # and all are doubtful, the oldest for one thing more


def test_a_commit_measured_in_two_environments_is_one(tmp_path):
    made(tmp_path, torch_pinned(1.5, lambda number: number == 3), COMMITS[:6])
    path = tmp_path / "m" / f"{COMMITS[3][:8]}-existing-py3.12.json"
    again = json.loads(path.read_text()) | {"env_name": "existing-py3.13"}
    path.with_name(f"{COMMITS[3][:8]}-existing-py3.13.json").write_text(json.dumps(again))
    assert history.of_machine(tmp_path, "m")[0] == []


@pytest.mark.parametrize(
    ("machine", "number", "words"),
    [
        ("n", 2, "No results of a machine 'n'; there are: m"),
        ("m", 1, "m has results of one commit only, c0ffee00"),
        ("m", 0, "There are no results yet"),
        ("m", None, "No history: benchmarks.json: "),
        ("m", "broken", "No results of a machine 'm' (m: machine.json is missing or broken)"),
        ("m", "host", "m has results of no transfer"),
    ],
)
def test_where_there_is_no_history(tmp_path, machine, number, words):
    if number == "broken":
        made(tmp_path, commits=COMMITS[:1])
        (tmp_path / "m" / "machine.json").unlink()
        derived.result(tmp_path, "n", COMMITS[0], DAY)
    elif number == "host":
        derived.result(
            tmp_path, "m", COMMITS[0], DAY, lambda name, _: 1 if "Host." in name else None
        )
    elif number is not None:
        derived.recorded(tmp_path, "m")
        made(tmp_path, commits=COMMITS[:number])
    with pytest.raises(NoSuchResult) as caught:
        history.of_machine(tmp_path, machine)
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)


def test_a_broken_result_is_left_out_and_said(tmp_path):
    made(tmp_path, torch_pinned(1.4, lambda number: number >= 4), COMMITS[:7])
    path = tmp_path / "m" / f"{COMMITS[1][:8]}-existing-py3.12.json"
    path.write_text("{")
    (change,), said = history.of_machine(tmp_path, "m")
    assert change.commit == COMMITS[4]
    assert said[1].startswith(f"Left out: m/{path.name}: ")


# A family as a table: what is asv's detection, and what is added to it ----------------------------


def family(*rows):
    """Seconds as the table that detector.py takes: a row a series, of sizes below 32 MiB."""
    index = [("existing_array", 1024 << number, "float32") for number in range(len(rows))]
    names = history.SERIES
    index = pandas.MultiIndex.from_tuples(index, names=names)
    return numpy.log(pandas.DataFrame(rows, index=index, dtype=float))


def steps(*rows):
    logs = family(*rows)
    bound = numpy.log1p(unchanged("pinned", 1024))
    return detector.find(logs, [bound] * len(logs)), logs


def found(*rows):
    changes, left = detector.together(*steps(*rows))
    places = [(place, before, len(members)) for place, before, members in changes]
    return sorted(places), left


@pytest.mark.parametrize(
    "values",
    [[1.04, 1.03, 0.98], [0.96, 1.05, 1.04, 1.02], [0.94, 1, 1.02, 1.03, 0.98]],
)
def test_asv_alone_makes_each_commit_of_a_short_history_a_step(values):
    assert len(detector.cuts(numpy.log(values))) == len(values)
    assert found(values, values) == ([], 0)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([1, 1.3], []),
        ([1, 1.01, 1.3], [(2, 1, 2)]),
        ([1.3, 1, 1.01], []),  # the oldest
        ([1, 1.01, 1.3, 1.31], [(2, 1, 2)]),
        ([1, 1.01, 1.1, 1.11], []),  # two runs of the same thing differ by more
        ([1, 1.01, 1.3, 1.01, 0.99, 1], []),
        ([1, 1.01, 1.3, 1.31, 1, 1.02], [(2, 1, 2), (4, 3, 2)]),
        ([1, 1.01, 1, 0.99, 9, 1.3, 1.31, 1.3, 1.29], [(5, 3, 2)]),  # at the odd commit, or after
    ],
)
def test_what_a_change_is(values, wanted):
    assert found(values, values) == (wanted, 0)


def test_one_series_of_many_is_no_change():
    flat, step = [1, 1.01, 0.99, 1.02, 0.98, 1], [1, 1.01, 0.99, 1.3, 1.31, 1.29]
    assert found(step, *[flat] * 6) == ([], 1)
    assert found(step, step, *[flat] * 5) == ([(3, 2, 2)], 0)
    assert found(step) == ([(3, 2, 1)], 0)


def test_a_series_that_shows_it_later_goes_with_the_others():
    step = [1, 1.01, 0.99, 1.3, 1.31, 1.29, 1.3, 1.32]
    late = [1, 1.01, 0.99, 1.02, 1.31, 1.29, 1.3, 1.32]
    seldom = [1, 1.01, *[numpy.nan] * 4, 1.3, 1.31]
    assert found(step, step, late, seldom) == ([(3, 2, 4)], 0)


def test_a_series_too_noisy_to_show_a_step_has_that_of_all():
    noisy = [1.06, 0.94, 1.05, 0.96, 1.3, 1.14, 1.26, 1.16, 1.32]
    assert detector.cuts(numpy.log(noisy)) == {0}
    step = [1, 1.01, 0.99, 1.0, 1.2, 1.21, 1.19, 1.2, 1.21]
    assert found(noisy, step, step) == ([(4, 3, 3)], 0)


def test_a_change_shows_as_soon_as_two_commits_have_it():
    values = [1.01, 0.99, 1.03, 1.0, 0.98, 1.02, 1.06, 1.2, 1.22]
    assert detector.cuts(numpy.log(values)) == {0}  # asv alone sees it later
    assert found(values, values) == ([(7, 6, 2)], 0)


def test_the_interval_knows_how_much_the_commits_differ():
    quiet = [1, 1.01, 1, 0.99, 1.3, 1.31, 1.3, 1.29]
    noisy = [1, 1.04, 1, 0.96, 1.3, 1.35, 1.3, 1.25]
    widths = []
    for values in quiet, noisy, quiet[2:6]:
        middle, low, high = detector.size(steps(values, values)[0])
        assert low < middle < high
        widths.append(high - low)
    assert 3 < widths[1] / widths[0] < 6
    widest = 2 * numpy.log1p(unchanged("pinned", 1024))
    assert widths[0] < widths[2] <= widest + 1e-9
    assert max(widths) <= widest + 1e-9


def noisy(places, dtypes=("uint8", "float16", "float32")):
    """Logarithms of two operations' series, four sizes of each dtype, that vary by 0.5 %."""
    each = ["existing_array", "new_array"], [1024 << 3 * step for step in range(4)], dtypes
    index = pandas.MultiIndex.from_product(each, names=["operation", "nbytes", "dtype"])
    random = numpy.random.default_rng(0)
    return pandas.DataFrame(random.normal(0, 0.005, (len(index), places)), index)


def test_a_step_of_one_dtype_is_a_change():
    logs = noisy(12)
    logs.loc[(slice(None), slice(None), "float16"), 6:] += 0.04
    ((place, before, members),), _ = detector.together(detector.find(logs, [0.02] * 24), logs)
    assert (place, before) == (6, 5)
    assert {step.series[2] for step in members} == {"float16"}
    assert len(members) == 8


def test_the_least_step_of_a_long_history_is_that_of_its_ends():
    logs, bounds = noisy(60, ("float32",)), pandas.Series(0.02, noisy(1, ("float32",)).index)
    least_step = least.step(logs, bounds, True)
    assert 0.02 < least_step < 0.05
    logs.loc[:, 20:39] += 0.3
    assert least.step(logs, bounds, True) == least_step
