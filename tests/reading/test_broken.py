"""What is parsed JSON but of another shape is left out and named; the rest stays; no traceback."""

import json
import re
import shutil
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.change_points import history
from scripts.reading import asv_files, exported, points
from scripts.reading.asv_files import UserError
from scripts.recording import provenance
from scripts.report_page import page
from tests.reading import broken
from tests.reading.broken import DEEP, FILES, HUGE, MACHINE, ONE, OTHER, YEAR_9000

pytestmark = pytest.mark.filterwarnings("error")  # NumPy's are lines that a user sees
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
LIKE = "host_to_device.HostToDevice.time_new_array"
RESULT, TWO = f"{MACHINE}/{ONE}.json", f"{MACHINE}/{OTHER}.json"
# One folder per test would take longer than the test.
slowly = settings(max_examples=15, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return broken.results(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def rows(whole):
    table, left_out = points.load(whole)
    assert not left_out
    return table


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "results")


def put(*place, value):
    """A change for `broken.spoil`: `value` at this place."""

    def change(found):
        inner = found
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = value
        return found

    return change


@slowly
@given(name=st.sampled_from(FILES), change=broken.changes(), line=st.integers(0, 10**4))
def test_any_other_shape(whole, rows, tmp_path_factory, name, change, line):
    folder = shutil.copytree(whole, tmp_path_factory.mktemp("copy") / "results")
    broken.spoil(folder / name, change, line)
    said, table = broken.commands(folder, report=False)
    assert not CONTROL.search(said)
    if name != "benchmarks.json" and "machine.json" not in name:
        others = [~some["commit"].astype(str).str.startswith(ONE[:8]) for some in (table, rows)]
        assert others[0].sum() == others[1].sum()
    shutil.rmtree(folder.parent)


WHOLE_FILES = {  # what is wrong with a results file, and what is said of it
    "no commit": (put("commit_hash", value=None), "Expected `str`, got `null`"),
    "no such commit": (put("commit_hash", value="HEAD"), "commit_hash is none"),
    "another commit": (put("commit_hash", value="c0ffee00" * 5), "the name of another result"),
    "another machine": (put("params", "machine", value="m"), "its machine is not"),
    "year 9000": (put("date", value=YEAR_9000), "Expected `int` <= "),
    "a word for a date": (put("date", value="yesterday"), "Expected `int`, got `str`"),
    "400 digits": (put("date", value=HUGE), "Expected `int` <= "),
    "no params": (put("params", value=None), "Expected `object`, got `null`"),
    "a list for a GPU": (put("params", "gpu", value=["H100"]), "params[...]"),
    "a number for a GPU": (put("params", "gpu", value=100), "Expected `str | null`, got `int`"),
    "half a character": (put("params", "gpu", value="\ud800"), "Error parsing JSON"),
    "no results": (put("results", value=[]), "Expected `object`, got `array`"),
    "deep": (put("results", value=DEEP), "Error parsing JSON"),
}


@pytest.mark.parametrize("name", WHOLE_FILES)
def test_a_result_of_another_shape_is_left_out(folder, rows, name):
    change, why = WHOLE_FILES[name]
    broken.spoil(folder / RESULT, change)
    table, left_out = points.load(folder)
    (said,) = left_out
    assert said.startswith(f"{RESULT}: ")
    assert why in said
    assert str(folder) not in said
    assert len(table) == (~rows["commit"].astype(str).str.startswith(ONE[:8])).sum()


ROWS = {
    "no list": (put("results", LIKE, value=1), "not a list"),
    "axes": (put("results", LIKE, 1, 3, value=["1024"]), "result is not of as many points"),
    "twice": (put("results", LIKE, 1, 3, 1, value="1024"), "a parameter is there twice"),
    "deep sum": (put("results", LIKE, 1, 3, 1, value="-" * 900 + "1"), "no parameter"),
    "memory": (put("results", LIKE, 1, 1, 0, value="'x'"), "no memory"),
    "a date": (put("results", LIKE, 3, value=YEAR_9000), "Expected `int` <= "),
    "a word": (put("results", LIKE, 0, 7, value="fast"), "Expected `float | null`"),
    "400 digits": (put("results", LIKE, 0, 7, value=HUGE), "Number out of range"),
    "version": (put("results", LIKE, 2, value=[]), "Expected `str | null`"),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_benchmark_of_another_shape_is_left_out(folder, rows, name):
    change, why = ROWS[name]
    broken.spoil(folder / RESULT, change)
    table, (said,) = points.load(folder)
    assert said.startswith(f"{RESULT}: {LIKE}: ")
    assert why in said
    gone = rows["commit"].astype(str).str.startswith(ONE[:8]) & rows["benchmark"].eq(LIKE)
    assert len(table) == len(rows) - gone.sum()


@pytest.mark.parametrize("value", [1e308, 1e-308, -1.0, 0.0, float("inf")])
def test_a_result_that_no_measurement_gives_is_none(folder, value):
    for name in RESULT, TWO:
        broken.spoil(folder / name, put("results", LIKE, 0, 31, value=value))
    table, left_out = points.load(folder)
    assert left_out == [f"{n}: {LIKE}: 1 result that no measurement gives" for n in (RESULT, TWO)]
    failed = table[table["status"].eq("failed")]
    assert len(failed) == 2
    assert failed["seconds"].isna().all()
    history.of_machine(folder, MACHINE)  # comes to an end


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, -1e-5, 1e308])
def test_a_sample_that_is_no_time_is_none(folder, value):
    samples = json.loads((folder / RESULT).read_text())["results"][LIKE][11]
    place = next(place for place, taken in enumerate(samples) if taken)
    broken.spoil(folder / RESULT, put("results", LIKE, 11, place, 3, value=value))
    table, (said,) = points.load(folder)
    assert said == f"{RESULT}: {LIKE}: the noise of 1 point: its samples are none"
    here = table["commit"].astype(str).str.startswith(ONE[:8]) & table["benchmark"].eq(LIKE)
    without = here & table["status"].eq("ok") & table["processes"].eq(0)
    assert without.sum() == 1
    assert table.loc[without, "seconds"].notna().all()


def test_a_benchmark_in_the_list_of_another_shape_is_left_out(folder, rows):
    broken.spoil(folder / "benchmarks.json", put(LIKE, "unit", value=["seconds"]))
    table, (said,) = points.load(folder)
    assert said.startswith(f"benchmarks.json: {LIKE}: Expected `str`, got `array`")
    assert len(table) == rows["benchmark"].ne(LIKE).sum()


@pytest.mark.parametrize("of", ["noise", "provenance"])
@pytest.mark.parametrize("broken_by", ["a folder", "a link to itself"])
def test_what_is_beside_a_result_and_no_file_is_named(folder, of, broken_by):
    path = folder / MACHINE / f"{ONE}.{of}.jsonl"
    path.unlink()
    if broken_by == "a folder":
        path.mkdir()
    else:
        path.symlink_to(path)
    table, left_out = points.load(folder)
    exported.of(table, left_out, folder)
    (said,) = left_out
    assert said.startswith(f"{MACHINE}/{ONE}.")
    assert f"its {of} file is broken" in said


@pytest.mark.parametrize("value", [["a", "b"], {"a": 1}])
def test_a_fact_of_another_kind_is_shown_as_it_is(folder, value):
    (folder / TWO).unlink()  # which has no provenance
    for path in (folder / MACHINE).glob("*.provenance.jsonl"):
        path.write_text(path.read_text() * 2)  # of more than one run
        for line in range(len(path.read_text().splitlines())):
            for fact in "gpu uuid hash", "driver", "torch":
                broken.spoil(path, put("facts", fact, value=value), line)
    table, left_out = points.load(folder)
    rows = exported.of(table, left_out, folder)
    assert set(rows["driver"]) == {f"v{provenance.text(value)}"}
    page.write(folder.parent / "report.html", folder)
    assert not left_out


@pytest.mark.parametrize("there", [".", "", "results"])
def test_a_missing_list_is_named_wherever_one_is(whole, there, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"'(results/)?benchmarks\.json'$"):
        points.load(there)


def test_two_folders_of_one_machine_count_once(folder, rows):
    shutil.copytree(folder / MACHINE, folder / "a copy")
    table, left_out = points.load(folder)
    assert len(table) == len(rows)
    assert f"a copy/{ONE}.json: {MACHINE} has it, too" in left_out


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (f"{MACHINE}/machine.json", lambda found: []),
        (f"{MACHINE}/machine.json", put("gpu", value=["H100"])),
        ("benchmarks.json", put(LIKE, "unit", value=["seconds"])),
        ("benchmarks.json", put(LIKE, value=DEEP)),
        (RESULT, put("params", value=None)),
        (RESULT, put("results", LIKE, 0, 31, value=1e308)),
        (RESULT, put("results", LIKE, 5, value=[1.0] * 999)),
    ],
)
def test_asv_is_told_in_one_line(folder, name, change):
    path, version = str(folder / name), 1 if "machine.json" in name else 2
    assert repr(asv_files.load_json(path, version)) == repr(asv_files.asvs_own(path, version))
    broken.spoil(folder / name, change)
    with pytest.raises(UserError, match=r"\A[^\n]*\Z") as error:
        asv_files.load_json(path)  # as asv show has a machine's file
    assert path in str(error.value)


def test_what_asv_shows_is_plain(folder):
    broken.spoil(folder / f"{MACHINE}/machine.json", put("gpu", value="\x1b[31mred"))
    broken.spoil(folder / RESULT, put("params", "gpu", value="\x1b[31mred"))
    assert asv_files.load_json(folder / f"{MACHINE}/machine.json")["gpu"] == "[31mred"
    assert asv_files.load_json(folder / RESULT)["params"]["gpu"] == "[31mred"


@pytest.mark.parametrize(
    "command",
    ["points.py --csv p.csv", "compare.py", "report.py", "gate.py history", "provenance.py"],
)
def test_the_commands(project, whole, command):
    """As processes: all kinds of files broken at once, and one result left."""
    there = shutil.copytree(whole, project.path / "results")
    shutil.copytree(there / MACHINE, there / "deep")
    (there / "deep" / "machine.json").write_text("[" * 100_000)
    escape = "\x1b]0;title\x07\x1b[31m"
    for path in (there / MACHINE).glob("*-*.json"):
        broken.spoil(path, put("params", "gpu", value=f"{escape}NVIDIA H100"))
    for path in (there / MACHINE).glob("*.provenance.jsonl"):
        broken.spoil(path, put("facts", "driver", value=f"{escape}580"))
    broken.spoil(there / MACHINE / "calibration.jsonl", put("run", "ended", value=YEAR_9000), -1)
    broken.spoil(there / RESULT, put("date", value=YEAR_9000))
    broken.spoil(there / TWO, put("results", LIKE, 0, 31, value=1e308))
    name, *words = command.split()
    if name in ("gate.py", "provenance.py", "compare.py"):
        words.append(MACHINE)
    done = subprocess.run(
        [sys.executable, project.path / "scripts" / name, *words],
        cwd=project.path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "Traceback" not in said
    assert "Warning" not in said
    assert not CONTROL.search(said)
    if name != "provenance.py":
        assert f"Left out: {RESULT}: Error in file" in said
        assert "Left out: deep: machine.json is missing or broken" in said
    if name == "report.py":
        assert f"Left out: {MACHINE}/calibration.jsonl: it is no recording" in said
    if name == "points.py":
        assert OTHER[:8] in (project.path / "p.csv").read_text()
