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
from scripts.tables import compared, side_by_side
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
    """{(size, header): text}"""
    return {
        (row[0], name): cell
        for row in sheet.rows
        for name, cell in zip(sheet.header, row, strict=True)
    }


def test_the_numbers_are_the_bytes_over_asvs_seconds(result):
    (path,) = VERSION_1.glob(f"{RECORDED}/{COMMIT}-*.json")
    data = json.loads(path.read_text())
    row = data["results"]["reference.Link.time_link"]
    columns_ = dict(zip(data["result_columns"], row, strict=False))
    seconds = columns_["result"][columns_["params"][0].index("268435456")]
    sheet = sheets(compared.of_one(result))["pinned, into an existing device array"]
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
                group, said, _ = side_by_side.fastest(found, nbytes)
                assert group[0] == best
                for method in set(rows) - {best}:
                    told = intervals.differ(rows[best], rows[method])
                    assert (method in group) == (not told)
                assert said == (best if len(group) == 1 else f"{len(group)} tied")
                seen.add(len(group))
    assert {1, 4} <= seen


def test_samples_of_one_process_name_no_winner(result):
    """However many they are: what processes differ by is not known then."""
    alone = result.assign(processes=1, log_sd=numpy.nan, degrees_of_freedom=numpy.nan)
    for sheet in sheets(compared.of_one(alone)).values():
        assert not sheet.marks
        assert {cell for (_, name), cell in columns(sheet).items() if name == "fastest"} == {
            "not known"
        }


def test_a_point_that_was_not_measured_is_no_number(result):
    gone = (
        (result["method"] == "torch")
        & (result["memory"] == "pinned")
        & (result["nbytes"] == 1024)
        & (result["operation"] == "existing_array")
    )
    part = result.astype({"status": object})
    part.loc[gone, ["status", "seconds", "gb_per_s"]] = ["failed", numpy.nan, numpy.nan]
    shown = columns(sheets(compared.of_one(part))["pinned, into an existing device array"])
    assert shown["1 KiB", "torch"] == "n/a"
    assert shown["1 KiB", "fastest"] == "cuda-python"
    both = columns(
        sheets(compared.of_two(result, as_of(part, "b", "b" * 40)))[
            "pinned, into an existing device array"
        ]
    )
    assert re.fullmatch(r"0\.105 \| n/a", both["1 KiB", "torch"])


def test_two_results_say_who_is_faster_and_where_nobody_is(result):
    torch = result["method"] == "torch"
    slower = as_of(result, RECORDED, "b" * 40, 1.5, torch)
    parts = list(compared.of_two(result, slower))
    for title, sheet in sheets(parts).items():
        for (_, name), cell in columns(sheet).items():
            if name not in ("size", "noise"):
                assert (" > " in cell) == (name == "torch"), (title, cell)
                assert (" ~ " in cell) == (name != "torch"), (title, cell)
    transfers = int(torch.sum())
    assert f"all dtypes, left is faster in {transfers} and right in 0;" in parts[-1]
    turned = list(compared.of_two(slower, result))
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
    compared.terminal(compared.of_one(other))
    compared.terminal(compared.of_two(result, other))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    assert any(line.startswith("[red]<script>|*a*, commit bbbbbbbb") for line in lines)
    (title, *_) = map(compared.markdown, compared.of_one(other))
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


def test_a_result_with_itself_and_more_than_two(capsys):
    with pytest.raises(SystemExit, match="Both are nvidia-h200, commit 0d3bb95a"):
        compare.main([RECORDED, f"{RECORDED}:{COMMIT}"])
    with pytest.raises(SystemExit):
        compare.main(["a", "b", "c"])
    assert "one or two results at a time" in capsys.readouterr().err


def test_what_was_measured_last_on_a_host_with_no_gpu(table, monkeypatch, capsys):
    copies = table[(table["operation"] == "copy") & (table["machine"] == RECORDED)]
    here = as_of(copies, "here", "c" * 40, 0.5)
    here["measured"] = table["measured"].max() + points.pandas.Timedelta(days=1)
    both = points.pandas.concat([table.astype({"machine": object, "commit": object}), here])
    monkeypatch.setenv("COLUMNS", "80")
    compared.terminal(compared.of_last(both.reset_index(drop=True)))
    out = capsys.readouterr().out
    assert out.startswith("here, commit cccccccc")
    assert "Recorded, not measured here:\nnvidia-h200, commit" in out
    assert "The host copy is what was measured here, on here." in out
    halved = here[(here["dtype"] == "float32") & (here["nbytes"] == 4 << 20)]["gb_per_s"].item()
    shown = [line.split() for line in out.splitlines() if line.startswith(" 4 MiB")]
    assert sum(formats.rate(halved) in row for row in shown) == 3  # its own, and pageable


def test_a_result_of_other_things_than_copies(result):
    rest = result[result["operation"] == "nothing"]
    assert list(compared.of_one(rest))[1] == "Nothing of float32 was measured"
    with pytest.raises(chosen.NoSuchResult, match="The two have measured nothing of float32"):
        list(compared.of_two(rest, as_of(rest, "other", "b" * 40)))


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


def test_the_host_copy_is_said_to_be_from_here_only_if_it_is(table, result):
    said = "The host copy is what was measured here, on here."
    for operation, there in ("copy", True), ("nothing", False):
        rows = result[result["operation"] == operation]
        here = as_of(rows, "here", "a" * 40).assign(measured=table["measured"].max())
        parts = list(compared.of_last(pandas.concat([table, here], ignore_index=True)))
        assert (said in parts) == there
        sheet = sheets(parts)["pageable, into an existing device array"]
        assert columns(sheet)["1 KiB", "host copy"] != "n/a"


def test_what_is_known_of_the_noise(table, result):
    rest = result[result["operation"].isin(["copy", "nothing"])]
    quiet = r"\d+ of \d+ processes all the time on a quiet core; the processes of a point differ"
    said = side_by_side.noise(rest)  # as of a machine without a GPU
    assert re.fullmatch(rf"{quiet} by .*\) [\d.]+% \(\d+%\) NumPy to NumPy", said)
    assert "NumPy" not in side_by_side.noise(result)
    once = rest.assign(processes=1, process_spread=float("nan"))
    assert side_by_side.noise(once) == "one process a point: nothing is known of the noise"
    none = rest.assign(processes=0, processes_quiet=0, process_spread=float("nan"))
    assert side_by_side.noise(none) == "Nothing was recorded of the noise"


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
    parts = list(compared.of_one(run))
    found = [sheet for title, sheet in sheets(parts).items() if " device array" in title]
    assert len(found) == 4
    for sheet in found:
        shown = columns(sheet)
        assert {cell for (_, name), cell in shown.items() if name == "fastest"} == {"2 tied"}
        assert {column for _, column in sheet.marks} == {1, 3}  # cuda-python and cupy
        noises = [float(cell.split()[0]) for (_, name), cell in shown.items() if name == "noise"]
        assert 0.5 < min(noises) <= max(noises) < 4  # the host drifts by 10
    assert f"{compared.METHODS_LEGEND} {compared.BY_RATIO}" in parts
    assert re.search(r"the ratios of a method by \(standard deviation\) 0\.\d% pinned", parts[-1])


def test_without_ratios_it_is_said_what_is_in_the_comparison(result):
    assert f"{compared.METHODS_LEGEND} {compared.BY_SECONDS}" in list(compared.of_one(result))


def test_two_results_tell_a_library_from_the_host(tmp_path):
    def slower(point):
        return 1.3 * TRUTH[point[1]] * (1.1 if point[1] == "torch" else 1)

    pair = stated_results(tmp_path, lambda point: TRUTH[point[1]], slower, drift=0.02)
    parts = list(compared.of_two(*pair))
    found = sheets(parts)
    for does in TRANSFERS.values():
        for memory in side_by_side.MEMORY:
            shown = columns(found[f"{memory}, {does.title}"])
            signs = {(name, cell.split()[1]) for (_, name), cell in shown.items() if name in TRUTH}
            assert signs == {("torch", ">"), ("cuda-python", "~"), ("cupy", "~"), ("pycuda", "~")}
        shown = columns(found[f"all methods together, {does.title}"])
        assert {cell[0] for (_, name), cell in shown.items() if name in side_by_side.MEMORY} == {
            ">"
        }
        ((change, _),) = {tuple(shown["4 MiB", "pinned"].removeprefix("> ").split())}
        assert 20 < float(change) < 40
    assert any(compared.TWO_BY_RATIO in part for part in parts if isinstance(part, str))
    assert "Of the 112 transfers that both have, all dtypes, left is faster in 28" in parts[-2]
    assert "Of 28 points that both have measured in turn, left is faster in 28" in parts[-1]


def test_two_results_by_ratio_fit_a_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    pair = stated_results(tmp_path, lambda point: TRUTH[point[1]], lambda point: 1.0)
    compared.terminal(compared.of_two(*pair))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)


def test_a_host_copy_beside_transfers_that_are_n_a_is_shown(result):
    part = result.astype({"status": object})
    transfers = part["operation"].isin([*TRANSFERS])
    part.loc[transfers, ["status", "seconds", "gb_per_s"]] = ["n/a", numpy.nan, numpy.nan]
    parts = list(compared.of_one(part))
    assert list(sheets(parts)) == ["NumPy to NumPy, on the host"]
    assert "Nothing of float32 was measured" not in parts
