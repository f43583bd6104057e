"""Results side by side: the recorded ones of a real GPU, and ones made out of them."""

import json
import re
import shutil
import signal
import subprocess
import sys

import numpy
import pandas
import pytest

from scripts import compare
from scripts.reading import chosen, intervals, points
from scripts.tables import compared, noise, several, side_by_side
from scripts.words import formats
from scripts.words.vocabulary import TRANSFERS
from tests import stated
from tests.conftest import BROKEN_MACHINES, ROOT, VERSION_1

RECORDED = "nvidia-h200"
COMMIT = "0d3bb95a"
AGAIN = "nvidia-h100-80gb-hbm3:e62adfd3"  # what tests/recorded has a second run of


@pytest.fixture(autouse=True)
def of_version_1(monkeypatch):
    """Where commands that are called here read."""
    monkeypatch.setattr(points, "RESULTS", VERSION_1)
    monkeypatch.setattr(points.load, "__defaults__", (VERSION_1, None, None))


@pytest.fixture(scope="module")
def table():
    found, _ = points.load(VERSION_1)
    return found


@pytest.fixture(scope="module")
def result(table):
    return chosen.choose(table, f"{RECORDED}:{COMMIT}")


def as_of(result, machine, commit, factor=1.0, rows=slice(None)):
    """`result` as if measured elsewhere, its rows `rows` taking `factor` times as long."""
    other = result.astype({"machine": object, "commit": object}).assign(
        machine=machine, commit=commit
    )
    other.loc[rows, "seconds"] *= factor
    other.loc[rows, "gb_per_s"] /= factor
    return other


def sheets(parts):
    return {part.title: part for part in parts if not isinstance(part, str)}


def columns(sheet):
    """{(size, name of the row): text}; of two results the row is (name, 'left'), ..."""
    found, of = {}, None
    for name, *cells in sheet.rows:
        what, _, side = name.rpartition(", ")
        of = what or of
        where = (of, side) if of and name != "noise" else name
        for size, cell in zip(sheet.header[1:], cells, strict=True):
            found[size.partition("\n")[0], where] = cell
    return found


def one(result):
    """What is shown of `result`, if there is no other."""
    return list(compared.of_one(result, compared.Recorded(result)))


def two(left, right):
    return list(compared.of_two(left, right, compared.Recorded(left)))


def test_the_numbers_are_the_bytes_over_asvs_seconds(result):
    (path,) = VERSION_1.glob(f"{RECORDED}/{COMMIT}-*.json")
    data = json.loads(path.read_text())
    row = data["results"]["reference.Link.time_link"]
    columns_ = dict(zip(data["result_columns"], row, strict=False))
    seconds = columns_["result"][columns_["params"][0].index("268435456")]
    sheet = sheets(one(result))["pinned, into an existing device array"]
    shown = columns(sheet)["256 MiB", "link"]
    assert float(shown) == pytest.approx(268435456 / seconds / 1e9, rel=0.005)


def test_a_method_wins_only_where_it_can_be_told_from_the_others(result):
    seen = set()
    for operation in TRANSFERS:
        for memory in side_by_side.MEMORY:
            found = side_by_side.lines(result, operation, memory)
            for nbytes in side_by_side.sizes(found):
                rows = {method: found[method][nbytes] for method in found}
                best = min(rows, key=lambda method: rows[method]["seconds"])
                group, _ = side_by_side.fastest(found, nbytes)
                assert group[0] == best
                for method in set(rows) - {best}:
                    told = intervals.differ(rows[best], rows[method])
                    assert (method in group) == (not told)
                seen.add(len(group))
    assert {1, 4} <= seen


def test_samples_of_one_process_name_no_winner(result):
    """However many they are: what processes differ by is not known then."""
    alone = result.assign(processes=1, log_sd=numpy.nan, degrees_of_freedom=numpy.nan)
    for sheet in sheets(one(alone)).values():
        assert not sheet.marks
        assert {cell for (_, name), cell in columns(sheet).items() if name == "noise"} == {"n/a"}


def test_a_point_that_was_not_measured_is_no_number(result):
    gone = (
        (result["method"] == "torch")
        & (result["memory"] == "pinned")
        & (result["nbytes"] == 1024)
        & (result["operation"] == "existing_array")
    )
    part = result.astype({"status": object})
    part.loc[gone, ["status", "seconds", "gb_per_s"]] = ["failed", numpy.nan, numpy.nan]
    shown = columns(sheets(one(part))["pinned, into an existing device array"])
    assert shown["1 KiB", "torch"] == "n/a"
    both = sheets(two(result, as_of(part, "b", "b" * 40)))["pinned, into an existing device array"]
    shown = columns(both)
    assert shown["1 KiB", ("torch", "left")] == "9.73"
    assert [shown["1 KiB", ("torch", what)] for what in ("right", several.RATIO)] == ["n/a", "|"]


def test_two_results_say_who_is_faster_and_where_nobody_is(result):
    torch = result["method"] == "torch"
    slower = as_of(result, RECORDED, "b" * 40, 1.5, torch)
    parts = two(result, slower)
    for title, sheet in sheets(parts).items():
        for (_, name), cell in columns(sheet).items():
            if name[-1] == several.RATIO:
                assert cell == ("1.50" if name[0] == "torch" else "~1.00"), (title, name)
    transfers = int(torch.sum())
    assert f"all dtypes, left is faster in {transfers} and right in 0;" in parts[-1]
    turned = two(slower, result)
    assert f"all dtypes, left is faster in 0 and right in {transfers};" in turned[-1]


def test_runs_with_nothing_changed_are_hardly_told_apart(table):
    """A second run on the same machine, right after the first: tests/recorded."""
    keys = ["benchmark", "method", "memory", "dtype", "nbytes"]
    lines = (ROOT / "tests" / "recorded" / "second-run.jsonl").read_text().splitlines()
    again = {tuple(point): seconds for *point, seconds, _ in map(json.loads, lines)}
    whole = chosen.choose(table, AGAIN).astype(dict.fromkeys(keys, object)).set_index(keys)
    first = whole.loc[list(again)].reset_index()
    second = first.assign(seconds=list(again.values()))
    assert len(first) == 112
    assert intervals.differ(first, second).sum() == 1
    assert intervals.differ(first, second, same_run=False).sum() == 0


def test_everything_fits_a_terminal_and_any_name_is_harmless(result, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    other = as_of(result, "[red]<script>|*a*", "b" * 40)
    compared.terminal(one(other))
    compared.terminal(two(result, other))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    assert any(line.startswith("[red]<script>|*a*, commit bbbbbbbb") for line in lines)
    (title, *_) = map(compared.markdown, one(other))
    assert title.startswith(r"\[red\]&lt;script&gt;\|\*a\*, commit bbbbbbbb")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("nowhere", r"No results of a machine 'nowhere'; there are: .*nvidia-h200"),
        ("nvidia-h200:fff", r"No results of a commit 'fff' on nvidia-h200; there are: .*0d3bb95a"),
        (":0d3bb95a", r"No results of a machine ''; there are: "),
        ("", r"No results of a machine ''; there are: "),
    ],
)
def test_what_is_not_there_is_one_line_that_says_what_is(word, said):
    with pytest.raises(SystemExit) as ended:
        compare.main([word])
    assert re.match(said, ended.value.code)
    assert "\n" not in ended.value.code


def test_commits_may_be_abbreviated_but_not_ambiguous(table, result):
    other = as_of(result, RECORDED, COMMIT + "f" * 32)
    both = table[table["machine"] == RECORDED].astype({"machine": object, "commit": object})
    both = points.pandas.concat([both, other], ignore_index=True)
    assert set(chosen.choose(both, f"{RECORDED}:{COMMIT}F")["commit"]) == {other["commit"].iloc[0]}
    with pytest.raises(chosen.NoSuchResult, match=f"Several commits '0d' .*{COMMIT}, {COMMIT}"):
        chosen.choose(both, f"{RECORDED}:0d")


def test_a_result_with_itself():
    with pytest.raises(SystemExit, match="One result twice: nvidia-h200, commit 0d3bb95a"):
        compare.main([RECORDED, f"{RECORDED}:{COMMIT}"])


def test_more_than_two_are_ranked_where_they_can_be_told_apart(result):
    """Each by its fastest library."""
    others = [as_of(result, name, COMMIT, factor) for name, factor in (("b", 1.01), ("c", 1.5))]
    title, *parts = compared.of_many([result, *others], compared.Recorded(result))
    assert title.startswith("result 1: nvidia-h200, commit 0d3bb95a, Python 3.12 (doubtful)\n")
    assert "\n- result 3, doubtful: The libraries were not measured in turn" in title
    found = sheets(parts)
    assert len(found) == 6
    shown = columns(found["pinned, into an existing device array, the fastest library's"])
    rows = side_by_side.lines(result, "existing_array", "pinned")
    best = min(rows[method][1024]["seconds"] for method in rows)
    for number, factor in (1, 1), (2, 1.01), (3, 1.5):
        assert float(shown["1 KiB", f"result {number}"]) == pytest.approx(1e6 * best * factor, 0.01)
    for sheet in found.values():
        assert {(0, at) for at in range(1, 8)} <= sheet.marks
        assert any(row == 1 for row, _ in sheet.marks)
        assert not any(row == 2 for row, _ in sheet.marks) or "copy" in sheet.title


@pytest.fixture
def on_a_host(table):
    """The table with a result that was measured last, on a host with no GPU."""
    copies = table[(table["operation"] == "copy") & (table["machine"] == RECORDED)]
    here = as_of(copies, "here", "c" * 40, 0.5)
    here["measured"] = table["measured"].max() + pandas.Timedelta(days=1)
    both = pandas.concat([table.astype({"machine": object, "commit": object}), here])
    return compared.Recorded(both.reset_index(drop=True))


def test_what_was_measured_last_on_a_host_with_no_gpu(on_a_host, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    compared.terminal(compared.of_last(on_a_host))
    out = capsys.readouterr().out
    assert out.startswith("here, commit cccccccc, Python 3.12: measured here, and no GPU.")
    fastest = "nvidia-h200, commit 0d3bb95a"
    assert f"\nRecorded, not measured here:\n{fastest}" in out
    copies = side_by_side.lines(chosen.choose(on_a_host.table, RECORDED), "copy")[None]
    shown = [line.split() for line in out.splitlines() if line.startswith(" host copy ")]
    theirs = formats.rate(copies[4 << 20]["gb_per_s"])
    assert [row[6] for row in shown] == [theirs, theirs]  # its own, not this host's


def test_the_answers_alone_are_of_the_gpu_that_is_recorded(on_a_host):
    head, said = compared.answers_of([], on_a_host)
    assert head.startswith("Recorded, not measured here: nvidia-h200, commit 0d3bb95a")
    assert "\n- The link is as it should be: 55.5 of the 63.0 GB/s" in said
    here = chosen.choose(on_a_host.table, "here")
    assert list(compared.answers_of([here], on_a_host)) == [
        "here, commit cccccccc, Python 3.12",
        "No GPU was measured, so there is nothing to say",
    ]


def test_a_result_of_other_things_than_copies(result):
    rest = result[result["operation"] == "nothing"]
    assert one(rest)[1] == "Nothing of float32 was measured"
    with pytest.raises(chosen.NoSuchResult, match="The two have measured nothing of float32"):
        (two(rest, as_of(rest, "other", "b" * 40)))


@pytest.mark.parametrize("content", ["", "null", "[]", '{"version": 2}'])
def test_a_broken_file_is_left_out_and_named(project, content):
    results = project.path / "results"
    shutil.copytree(VERSION_1, results)
    (results / RECORDED / "01234567-existing-py3.12.json").write_text(content)
    done = project.call(sys.executable, "scripts/compare.py", RECORDED)
    assert done.returncode == 0
    first, *rest = done.stdout.splitlines()
    assert first.startswith(f"Left out: {RECORDED}/01234567-existing-py3.12.json: ")
    assert not any("Left out" in line or "Traceback" in line for line in rest)


def test_machines_whose_file_is_broken_are_left_out_and_named(project):
    results = shutil.copytree(VERSION_1, project.path / "results")
    for name, content in BROKEN_MACHINES.items():
        shutil.copytree(results / RECORDED, results / name)
        (results / name / "machine.json").write_bytes(content)
    done = project.call(sys.executable, "scripts/points.py", "--csv", "points.csv")
    assert done.returncode == 0, done.stdout
    lines = [f"Left out: {name}: machine.json is missing or broken" for name in BROKEN_MACHINES]
    assert set(done.stdout.splitlines()) >= set(lines)
    assert "Traceback" not in done.stdout
    said = (project.path / "points.csv").read_text()
    machines = {line.split(",")[0] for line in said.splitlines()}
    assert machines >= {RECORDED, "nvidia-h100-80gb-hbm3"}  # and what was measured here
    assert not machines & set(BROKEN_MACHINES)


def test_what_is_known_of_the_noise(table, result):
    rest = result[result["operation"].isin(["copy", "nothing"])]
    quiet = r"\d+ of \d+ processes all the time on a quiet core; the processes of a point differ"
    said = noise.said_of(rest)  # as of a machine without a GPU
    assert re.fullmatch(rf"{quiet} by .*\) [\d.]+% \(\d+%\) NumPy to NumPy", said)
    assert "NumPy" not in noise.said_of(result)
    once = rest.assign(processes=1, process_spread=float("nan"))
    assert noise.said_of(once) == "one process a point: nothing is known of the noise"
    none = rest.assign(processes=0, processes_quiet=0, process_spread=float("nan"))
    assert noise.said_of(none) == "Nothing was recorded of the noise"


@pytest.mark.parametrize("script", ["compare.py", "provenance.py"])
def test_output_that_cannot_be_had_is_no_traceback(script):
    words = [sys.executable, ROOT / "scripts" / script, "nvidia-h100-80gb-hbm3"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode
    with open("/dev/full", "w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "[Errno 28] No space left on device\n")


def test_an_interrupt_among_the_imports_is_no_traceback():
    code = "from scripts.setup import dotvenv; raise KeyboardInterrupt"
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "Interrupted\n")


def test_no_results_at_all(project):
    done = project.call(sys.executable, "scripts/compare.py")
    assert done.returncode == 1
    assert done.stdout == "There are no results yet: python3 scripts/bench.py makes some\n"


# By ratios: results made of stated truths ---------------------------------------------------------


TRUTH = {"cuda-python": 1.0, "torch": 1.05, "cupy": 1.0, "pycuda": 1.1}


def stated_results(folder, *factors, **options):
    """Results of one machine at as many commits as there are `factors`, as chosen.py has them."""
    for number, factor in enumerate(factors):
        stated.result(folder, factor, stated.COMMITS[number], number, **options)
    found, left_out = points.load(folder)
    assert not left_out
    return [found[found["commit"].eq(commit)] for commit in stated.COMMITS[: len(factors)]]


def test_the_fastest_is_told_by_ratios_and_never_said_of_ties(tmp_path):
    (run,) = stated_results(tmp_path, lambda point: TRUTH[point[1]])
    parts = one(run)
    found = [sheet for title, sheet in sheets(parts).items() if " device array" in title]
    assert len(found) == 4
    for sheet in found:
        shown = columns(sheet)
        assert {row for row, _ in sheet.marks} == {0, 2}  # cuda-python and cupy
        assert len(sheet.marks) == 2 * len(sheet.rows[0][1:])
        noises = [float(cell.split()[0]) for (_, name), cell in shown.items() if name == "noise"]
        assert 0.5 < min(noises) <= max(noises) < 4  # the host drifts by 10
    assert f"{compared.METHODS_LEGEND} {compared.BY_RATIO}" in parts
    assert re.search(r"the ratios of a method by \(standard deviation\) 0\.\d% pinned", parts[-1])


def test_without_ratios_it_is_said_what_is_in_the_comparison(result):
    assert f"{compared.METHODS_LEGEND} {compared.BY_SECONDS}" in one(result)


def test_two_results_tell_a_library_from_the_host(tmp_path):
    def slower(point):
        return 1.3 * TRUTH[point[1]] * (1.1 if point[1] == "torch" else 1)

    pair = stated_results(tmp_path, lambda point: TRUTH[point[1]], slower, drift=0.02)
    parts = two(*pair)
    found = sheets(parts)
    for does in TRANSFERS.values():
        for memory in side_by_side.MEMORY:
            shown = columns(found[f"{memory}, {does.title}"])
            ratios = {key[1][0]: cell for key, cell in shown.items() if key[1][-1] == several.RATIO}
            assert all(cell.startswith("~") == (name != "torch") for name, cell in ratios.items())
            assert 1.07 < float(ratios["torch"]) < 1.13
        shown = columns(found[f"all methods together, {does.title}"])
        for memory in side_by_side.MEMORY:
            assert 1.2 < float(shown["4 MiB", (memory, several.RATIO)]) < 1.4
    assert any(compared.TWO_BY_RATIO in part for part in parts if isinstance(part, str))
    assert "Of the 112 transfers that both have, all dtypes, left is faster in 28" in parts[-2]
    assert "Of 28 points that both have measured in turn, left is faster in 28" in parts[-1]


def test_two_results_by_ratio_fit_a_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    pair = stated_results(tmp_path, lambda point: TRUTH[point[1]], lambda point: 1.0)
    compared.terminal(two(*pair))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)


def test_a_host_copy_beside_transfers_that_are_n_a_is_shown(result):
    part = result.astype({"status": object})
    transfers = part["operation"].isin([*TRANSFERS])
    part.loc[transfers, ["status", "seconds", "gb_per_s"]] = ["n/a", numpy.nan, numpy.nan]
    parts = one(part)
    assert list(sheets(parts)) == ["NumPy to NumPy, on the host"]
    assert "Nothing of float32 was measured" not in parts
