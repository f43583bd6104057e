"""Results side by side: the recorded ones of a real GPU, and ones made out of them."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys

import numpy
import pytest

from scripts import compare
from scripts.answers import standings
from scripts.change_points import history
from scripts.gate import recorded
from scripts.reading import chosen, intervals, points
from scripts.report_page import drawn
from scripts.tables import compared, origin, printed, side_by_side
from scripts.words import formats
from scripts.words.vocabulary import TRANSFERS
from tests import stated
from tests.conftest import BROKEN_MACHINES, ROOT, VERSION_1

RECORDED, H100 = "nvidia-h200", "nvidia-h100-80gb-hbm3"
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


def of_one(result):
    return list(compared.of_one(result, compared.Recorded(result, [])))


def of_two(*pair):
    return list(compared.of_two(*pair, compared.Recorded(pair[0], [])))


def sheets(parts):
    """By title, without its mark of what is doubtful."""
    found = [part for part in parts if not isinstance(part, str)]
    return {part.title.partition(" (doubtful")[0]: part for part in found}


def columns(sheet):
    """{(size, name of the row): text}"""
    return {
        (size, row[0]): cell
        for row in sheet.rows
        for size, cell in zip(sheet.header[1:], row[1:], strict=True)
    }


def shown_by(sheet):
    return [row[0] for row in sheet.rows if "/" in row[0]]


def ratios(sheet):
    """{name of the first result's row: how many times as long the second one takes, by size}"""
    names = [row[0].removeprefix("A ") for row in sheet.rows if row[0].startswith("A")]
    found = [row[1:] for row in sheet.rows if row[0] == "B/A"]
    return dict(zip(names, found, strict=True))


def test_the_numbers_are_the_bytes_over_asvs_seconds(result):
    (path,) = VERSION_1.glob(f"{RECORDED}/{COMMIT}-*.json")
    data = json.loads(path.read_text())
    row = data["results"]["reference.Link.time_link"]
    columns_ = dict(zip(data["result_columns"], row, strict=False))
    seconds = columns_["result"][columns_["params"][0].index("268435456")]
    sheet = sheets(of_one(result))["pinned, into an existing device array"]
    shown = columns(sheet)["256 MiB", "link"]
    assert float(shown) == pytest.approx(268435456 / seconds / 1e9, rel=0.005)


def test_a_method_wins_only_where_it_can_be_told_from_the_others(result):
    seen = set()
    for operation in TRANSFERS:
        for memory in side_by_side.MEMORY:
            for found in standings.of(result, operation, memory):
                rows, group = found.rows, found.best
                best = min(rows, key=lambda method: rows[method]["seconds"])
                assert best in group
                for method in set(rows) - {best}:
                    told = intervals.differ(rows[best], rows[method])
                    assert (method in group) == (not told)
                seen.add(len(group))
    assert {1, 4} <= seen


def test_samples_of_one_process_name_no_winner(result):
    """However many they are: what processes differ by is not known then."""
    alone = result.assign(processes=1, log_sd=numpy.nan, degrees_of_freedom=numpy.nan)
    for sheet in sheets(of_one(alone)).values():
        assert not sheet.marks
        noises = {cell for (_, name), cell in columns(sheet).items() if name == "noise"}
        assert noises <= {"n/a"}


def test_a_point_that_was_not_measured_is_no_number(result):
    gone = (
        (result["method"] == "torch")
        & (result["memory"] == "pinned")
        & (result["nbytes"] == 1024)
        & (result["operation"] == "existing_array")
    )
    part = result.astype({"status": object})
    part.loc[gone, ["status", "seconds", "gb_per_s"]] = ["failed", numpy.nan, numpy.nan]
    sheet = sheets(of_one(part))["pinned, into an existing device array"]
    assert columns(sheet)["1 KiB", "torch"] == "n/a"
    assert {row for row, column in sheet.marks if column == 1} == {1}  # cuda-python
    both = sheets(of_two(result, as_of(part, "b", "b" * 40)))
    found = columns(both["pinned, into an existing device array"])
    assert (found["1 KiB", "A torch"], found["1 KiB", "B torch"]) == ("9.73", "n/a")
    assert ratios(both["pinned, into an existing device array"])["torch"][0] == ""


def test_two_results_say_who_is_faster_and_where_nobody_is(result):
    torch = result["method"] == "torch"
    slower = as_of(result, RECORDED, "b" * 40, 1.5, torch)
    parts = of_two(result, slower)
    for title, sheet in sheets(parts).items():
        for name, cells in ratios(sheet).items():
            assert set(cells) == ({"1.50x"} if name == "torch" else {"~"}), (title, name)
    transfers = int(torch.sum())
    assert f"all dtypes, A is faster in {transfers} and B in 0;" in parts[-1]
    turned = of_two(slower, result)
    assert f"all dtypes, A is faster in 0 and B in {transfers};" in turned[-1]
    (shown,) = {cell for cell in ratios(sheets(turned)["pinned, into a new device array"])["torch"]}
    assert shown == "0.667x"


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
    printed.terminal(of_one(other))
    printed.terminal(of_two(result, other))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    assert any(line.startswith("[red]<script>|*a*, commit bbbbbbbb") for line in lines)
    (title, *_) = map(printed.markdown, of_one(other))
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


@pytest.mark.parametrize(
    "named",
    [
        recorded.only,
        lambda name: origin.find(name, ROOT / "results")[0].partition(":")[0],
        lambda name: drawn.of_machine(points.load(ROOT / "results")[0], name)["machine"].iloc[0],
    ],
    ids=["gate.py history", "provenance.py", "draw.py"],
)
def test_all_commands_take_a_machine_abbreviated(named):
    assert named("nvidia-h2") == "nvidia-h200"
    with pytest.raises((chosen.NoSuchResult, SystemExit, ValueError), match="'nvidia-h'"):
        named("nvidia-h")


def test_machines_may_be_abbreviated_but_not_ambiguous(result):
    both = points.pandas.concat(
        [as_of(result, "gpu-1", "a" * 40), as_of(result, "gpu-10", "b" * 40)], ignore_index=True
    )
    assert set(chosen.choose(both, "gpu-10")["machine"]) == {"gpu-10"}
    assert set(chosen.choose(both, "gpu-1")["machine"]) == {"gpu-1"}  # its whole name
    with pytest.raises(chosen.NoSuchResult, match="No results of a machine 'gpu'"):
        chosen.choose(both, "gpu")
    one = as_of(result, "gpu-10", "b" * 40)
    assert set(chosen.choose(one, "gpu:bb")["machine"]) == {"gpu-10"}
    lines = ["gpu-10/x.json: is broken", "other/y.json: is broken"]
    assert list(compared.shorter(lines, ["gpu:bb"])) == lines[:1]


def test_a_result_with_itself_and_more_than_two(capsys):
    with pytest.raises(SystemExit, match="A and B are both nvidia-h200, commit 0d3bb95a"):
        compare.main([RECORDED, f"{RECORDED}:{COMMIT}"])
    with pytest.raises(SystemExit):
        compare.main(27 * ["a"])
    assert "26 results at a time" in capsys.readouterr().err


def test_many_results_side_by_side_by_the_fastest_method(result, monkeypatch, capsys):
    machines = [as_of(result, name, COMMIT, factor) for name, factor in (("x", 1.5), ("y", 1))]
    copies = result["operation"].eq("copy")
    unknown = as_of(result, "z", COMMIT, 2).assign(log_sd=numpy.nan)
    recorded = compared.Recorded(result, [])
    parts = list(compared.of_many([result, *machines, unknown[~copies]], recorded))
    assert parts[0].startswith("A: nvidia-h200, commit 0d3bb95a")
    found = sheets(parts)
    for operation, does in TRANSFERS.items():
        for memory in side_by_side.MEMORY:
            sheet = found[f"{memory}, {does.title}"]
            shown = columns(sheet)
            rows = side_by_side.lines(result, operation, memory)
            least = min(row["seconds"] for row in (of[1024] for of in rows.values()))
            assert shown["1 KiB", "A"] == shown["1 KiB", "C"] == formats.rate(1e6 * least)
            assert shown["1 KiB", "B"] == formats.rate(1.5e6 * least)
            most = max(row["gb_per_s"] for row in (of[256 << 20] for of in rows.values()))
            assert shown["256 MiB", "A"] == formats.rate(most)
            said = {
                name: {shown[size, name] for size in sheet.header[1:]} for name in shown_by(sheet)
            }
            assert said["B/A"] <= {"1.50x", "~"}
            assert "1.50x" in said["B/A"]
            assert said["C/A"] == said["D/A"] == {"~"}  # of D nobody knows the noise
    copy = columns(found["the host's own copy"])
    assert (copy["1 KiB", "D"], copy["1 KiB", "D/A"]) == ("n/a", "")
    monkeypatch.setenv("COLUMNS", "80")
    printed.terminal(parts)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "…" not in out


def test_what_was_measured_last_on_a_host_with_no_gpu(table, monkeypatch, capsys):
    copies = table[(table["operation"] == "copy") & (table["machine"] == RECORDED)]
    here = as_of(copies, "here", "c" * 40, 0.5)
    here["measured"] = table["measured"].max() + points.pandas.Timedelta(days=1)
    both = points.pandas.concat([table.astype({"machine": object, "commit": object}), here])
    monkeypatch.setenv("COLUMNS", "80")
    recorded = compared.Recorded(both.reset_index(drop=True), [])
    printed.terminal(compared.of_last(recorded))
    there, ours = capsys.readouterr().out.split("Measured here:\n")
    assert there.startswith("Recorded, not measured here:\nnvidia-h200, commit")
    assert there.index("- Which library") < there.index("pinned, into an existing device array")
    assert ours.startswith("here, commit cccccccc")
    rows = copies[copies["dtype"].eq("float32") & copies["nbytes"].eq(4 << 20)]
    of = {
        name: formats.rate(rows["gb_per_s"].item() * factor)
        for name, factor in (("h200", 1), ("us", 2))
    }
    for said, number in (there, of["h200"]), (ours, of["us"]):  # each has its host's own
        lines = [line.split() for line in said.splitlines() if line.startswith(" host copy")]
        assert lines
        assert all(number in line for line in lines)
    alone = list(compared.of_last(recorded, sentences=True))
    assert not sheets(alone)
    assert re.fullmatch(r"- NumPy to NumPy, .*: 1 KiB takes 110 ns.*GB/s\.", alone[-1]) or alone[-1]


def test_what_is_doubtful_is_said_first_and_marked(tmp_path, monkeypatch, capsys):
    name = "nvidia-h100-80gb-hbm3"
    results = tmp_path / "results"
    shutil.copytree(ROOT / "results" / name, results / name)
    shutil.copy(ROOT / "results" / "benchmarks.json", results)
    monkeypatch.setattr(points, "RESULTS", results)
    monkeypatch.setattr(points.load, "__defaults__", (results, None, None))
    monkeypatch.setenv("COLUMNS", "80")
    compare.main([name])
    assert "oubtful" not in capsys.readouterr().out
    (path,) = results.glob(f"{name}/*.provenance.jsonl")
    path.write_text(path.read_text().replace('"link width": 16', '"link width": 8'))
    compare.main([name])
    out = capsys.readouterr().out
    head, _, _ = " ".join(out.split()).partition(" - Doubtful: ")
    assert head.endswith("Python 3.12 (doubtful)")
    lines = out.splitlines()
    titles = [
        line
        for line in lines
        if re.match(r"(pinned|pageable), (into|back)|256 small.*:|an ordinary", line)
    ]
    assert len(titles) == 9
    assert all(line.endswith("(doubtful)") for line in titles)
    assert max(map(len, out.splitlines())) <= 80
    assert "…" not in out
    compare.main(["--markdown", "--answers", name])
    answers = capsys.readouterr().out
    assert "- Doubtful: " in answers
    assert "|" not in answers


def test_what_changed_last_is_among_the_answers(tmp_path, monkeypatch):
    def slower(point):
        return 1.5 if point[1] == "cupy" else 1.0

    monkeypatch.setattr(points, "RESULTS", tmp_path)
    runs = stated_results(tmp_path, *[lambda point: 1.0] * 3, *[slower] * 3)
    recorded = compared.Recorded(points.pandas.concat(runs, ignore_index=True), [])
    answers = " ".join(compared.answers(runs[2], recorded))
    assert re.search(r"- No change found in 3 commits; (\d+) of \1 series have enough", answers)
    said = [line for line in compared.answers(runs[-1], recorded) if "What changed last" in line]
    assert re.search(r"^- What changed last, .*cupy", *said)


def test_a_result_of_other_things_than_copies(result):
    rest = result[result["operation"] == "nothing"]
    assert list(of_one(rest))[1] == "Nothing of float32 was measured"
    with pytest.raises(chosen.NoSuchResult, match="The two have measured nothing of float32"):
        list(of_two(rest, as_of(rest, "other", "b" * 40)))


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
    parts = list(of_one(run))
    found = [sheet for title, sheet in sheets(parts).items() if " device array" in title]
    assert len(found) == 4
    for sheet in found:
        shown = columns(sheet)
        assert sheet.marks == {(row, 1 + at) for row in (1, 3) for at in range(7)}  # two, tied
        noises = [float(cell.split()[0]) for (_, name), cell in shown.items() if name == "noise"]
        assert 0.5 < min(noises) <= max(noises) < 4  # the host drifts by 10
    assert f"{compared.METHODS_LEGEND} {compared.BY_RATIO}" in parts
    assert re.search(r"the ratios of a method by \(standard deviation\) 0\.\d% pinned", parts[-1])


def test_without_ratios_it_is_said_what_is_in_the_comparison(result):
    assert f"{compared.METHODS_LEGEND} {compared.BY_SECONDS}" in of_one(result)


def test_two_results_tell_a_library_from_the_host(tmp_path):
    def slower(point):
        return 1.3 * TRUTH[point[1]] * (1.1 if point[1] == "torch" else 1)

    pair = stated_results(tmp_path, lambda point: TRUTH[point[1]], slower, drift=0.02)
    parts = list(of_two(*pair))
    found = sheets(parts)
    for does in TRANSFERS.values():
        for memory in side_by_side.MEMORY:
            told = ratios(found[f"{memory}, {does.title}"])
            assert {name for name, cells in told.items() if set(cells) == {"~"}} == TRUTH.keys() - {
                "torch"
            }
            assert all(1.05 < float(cell.removesuffix("x")) < 1.15 for cell in told["torch"])
        shown = columns(found[f"all methods together, {does.title}"])
        changes = {cell for (_, name), cell in shown.items() if name.endswith("B/A")}
        assert all(1.1 < float(cell.removesuffix("x")) < 1.5 for cell in changes)
    assert any(compared.TWO_BY_RATIO in part for part in parts if isinstance(part, str))
    assert "Of the 112 transfers that both have, all dtypes, A is faster in 28" in parts[-2]
    assert "Of 28 points that both have measured in turn, A is faster in 28" in parts[-1]


def test_two_results_by_ratio_fit_a_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    pair = stated_results(tmp_path, lambda point: TRUTH[point[1]], lambda point: 1.0)
    printed.terminal(of_two(*pair))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)


def test_a_host_copy_beside_transfers_that_are_n_a_is_shown(result):
    part = result.astype({"status": object})
    transfers = part["operation"].isin([*TRANSFERS])
    part.loc[transfers, ["status", "seconds", "gb_per_s"]] = ["n/a", numpy.nan, numpy.nan]
    parts = list(of_one(part))
    assert list(sheets(parts)) == ["NumPy to NumPy, on the host"]
    assert "Nothing of float32 was measured" not in parts


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A copy of the results of one machine, in the place of all."""
    results = tmp_path / "results"
    shutil.copytree(ROOT / "results" / H100, results / H100)
    shutil.copy(ROOT / "results" / "benchmarks.json", results)
    monkeypatch.setattr(points, "RESULTS", results)
    monkeypatch.setattr(points.load, "__defaults__", (results, None, None))
    return results


def test_broken_provenance_is_named(alone, capsys):
    (path,) = alone.glob("*/*.provenance.jsonl")
    path.write_text("{")
    compare.main([H100])
    said = capsys.readouterr()
    name = f"{H100}/{path.name}"
    assert said.err == f"Left out: {name}: its provenance file is broken\n"
    assert "Nothing is recorded of the driver" in " ".join(said.out.split())


def test_results_that_cannot_be_read_are_not_said_to_be_none(alone, capsys):
    (alone / H100 / "machine.json").write_text("{")
    with pytest.raises(SystemExit, match=r"^No number is recorded that can be read$"):
        compare.main([])
    assert "machine.json is missing or broken" in capsys.readouterr().err
    with pytest.raises(SystemExit, match=f"^No results of a machine '{H100}'; there are: none$"):
        compare.main([H100])
    said = rf"^No results of a machine '{H100}' \({H100}: machine.json is missing or broken\)$"
    with pytest.raises(chosen.NoSuchResult, match=said):
        history.of_machine(alone, H100)


def test_a_folder_that_cannot_be_read_is_named(alone, monkeypatch):
    ours = points.os.access
    monkeypatch.setattr(  # as root everything can be
        points.os, "access", lambda path, mode: path.name != "locked" and ours(path, mode)
    )
    (alone / "locked").mkdir()
    assert points.load(alone)[1] == ["locked: this folder cannot be read"]


@pytest.mark.parametrize("variables", [{"COLUMNS": "0"}, {"PYTHONIOENCODING": "ascii"}])
def test_a_terminal_that_is_odd_gets_the_answers(variables):
    command = [sys.executable, ROOT / "scripts" / "compare.py", "--answers"]
    environment = {**os.environ, **variables}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "1 KiB takes, by library, " in " ".join(done.stdout.split())
    command = [sys.executable, ROOT / "scripts" / "provenance.py", H100]
    assert "gpu uuid hash" in subprocess.check_output(command, text=True, env=environment)
