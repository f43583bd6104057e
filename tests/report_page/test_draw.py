"""The charts as files, the README's picture, and the report that `asv publish` makes."""

import json
import re
import shutil
import sys

import pytest

from scripts import draw, report
from scripts.change_points import history
from scripts.reading import points
from scripts.report_page import drawn, look, page
from scripts.report_page.charts import history as history_chart
from scripts.words.vocabulary import TRANSFERS
from tests import derived, stated
from tests.conftest import BROKEN_MACHINES, ROOT, VERSION_1, new_clone

IN_README = "nvidia-h100-80gb-hbm3"
LABEL = re.compile(r'aria-label="([^"]*)" role="graphics-symbol" aria-roledescription="point"')


@pytest.mark.parametrize("name", [*drawn.CHARTS, "history"])
def test_each_chart_says_what_it_is_of(name, tmp_path):
    of = [] if name == "machines" else ["--machine", IN_README]  # that one shows all of them
    draw.main([name, str(tmp_path / "chart.svg"), *of])
    text = (tmp_path / "chart.svg").read_text()
    assert LABEL.search(text)
    run = page.newest(drawn.of_machine(points.load()[0], IN_README))
    gpu, link, commit = (run.iloc[0][name] for name in ("gpu", "pcie_link", "commit"))
    measured = f"{run['measured'].max():%Y-%m-%d}"
    assert f"{gpu}, {link}, commit {commit[:8]}, measured {measured}." in text
    if name in ("history", "machines"):
        assert "Pinned memory, existing array" in text


def test_a_chart_is_a_png_too(tmp_path):
    draw.main(["many", str(tmp_path / "chart.png"), "--machine", IN_README])
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["history", "latency"])
def test_a_chart_of_any_series(name, tmp_path):
    words = "--memory", "pageable", "--operation", "new", "--size", "8kib"
    draw.main([name, str(tmp_path / "chart.svg"), *words])
    text = (tmp_path / "chart.svg").read_text()
    assert "Pageable memory, new array, 8 KiB." in text
    table, _ = points.load()
    rows = page.newest(drawn.of_machine(table))
    rows = rows[rows["operation"].eq("new_array") & rows["memory"].eq("pageable")]
    rows = rows[rows["nbytes"].eq(8192) & rows["dtype"].eq("float32")]
    column, unit, factor = ("gb_per_s", "GB/s", 1) if name == "history" else ("seconds", "µs", 1e6)
    found = [float(re.search(rf"{unit}: ([\d.]+)", label)[1]) for label in LABEL.findall(text)]
    assert sorted(found) == pytest.approx(sorted(factor * rows[column]), rel=1e-4)


def test_what_would_squash_the_rest_is_at_the_end_of_the_axis_with_its_number(tmp_path):
    existing = TRANSFERS["existing_array"].benchmark

    def slow(name, point):
        return 30 if (name, point) == (existing, 15) else 1

    derived.result(tmp_path, "m", "c0ffee00" * 5, 1, slow)
    look.save(drawn.chart("relative", "m", tmp_path), tmp_path / "chart.svg")
    texts = re.findall(r">(\d+)( %)?<", (tmp_path / "chart.svg").read_text())
    assert any(int(number) > 1000 for number, unit in texts if unit)
    assert max(int(number) for number, unit in texts if not unit) <= 512  # axes, and sizes


def test_a_chart_of_a_doubtful_result_says_so(tmp_path):
    derived.result(tmp_path, "m", "c0ffee00" * 5, 1, facts={"throttle reasons": ["hw slowdown"]})
    made = drawn.chart("latency", "m", tmp_path).to_dict()
    assert any("Doubtful: The GPU was throttled" in line for line in made["title"]["subtitle"])


def test_the_readme_shows_the_results(tmp_path):
    """Remake it: .venv/bin/python scripts/draw.py bandwidth FILE --machine MACHINE"""
    kept = ROOT / "results" / "bandwidth.svg"
    assert "(results/bandwidth.svg)" in (ROOT / "README.md").read_text()
    draw.main(["bandwidth", str(tmp_path / "now.svg"), "--machine", IN_README])
    now = LABEL.findall((tmp_path / "now.svg").read_text())
    assert LABEL.findall(kept.read_text()) == now
    table, _ = points.load()
    rows = page.newest(drawn.of_machine(table, IN_README))
    floats = rows[rows["dtype"].eq("float32") & rows["method"].notna() & rows["status"].eq("ok")]
    rates = sorted(float(re.search(r"GB/s: ([\d.]+)", label)[1]) for label in now)
    assert rates == pytest.approx(sorted(floats["gb_per_s"]), rel=1e-4)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["bandwidth", "chart.gif"], r"chart\.gif: a chart is written as \.svg or \.png"),
        (["latency", "x.svg", "--machine", "no"], "There are no GPU results of a machine 'no'"),
        (
            ["latency", "x.svg", "--size", "3 MiB"],
            "No array of '3 MiB' was measured there, but of 2",
        ),
        (["latency", "x.svg", "--size", "4 MiB"], "nothing to draw: latency has nothing of 4 MiB"),
        (["history", "x.svg", "--size", "256 B"], "nothing to draw: history has nothing of pinned"),
        (["latency", "no/such/folder.svg"], "No such file or directory"),
        (["latency", "x.svg", "--size", ""], "No array of '' was measured there"),
        (["latency", "x.svg", "--machine", ""], "There are no GPU results of a machine ''$"),
        (["machines", "x.svg", "--machine", IN_README], "machines shows all of them"),
        (["ordinary", "x.svg", "--memory", "pinned"], "ordinary has ways, and neither"),
        (["many", "x.svg", "--operation", "new"], "many has ways, and neither"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(words, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=says):
        draw.main(words)


def test_why_there_is_nothing_to_draw_is_said(tmp_path):
    folder = shutil.copytree(ROOT / "results" / IN_README, tmp_path / IN_README)
    shutil.copy(ROOT / "results" / "benchmarks.json", tmp_path)
    (folder / "machine.json").write_text("{")
    says = rf"no GPU results \({IN_README}: machine.json is missing or broken\)"
    with pytest.raises(ValueError, match=says):
        drawn.chart("latency", results=tmp_path)


@pytest.mark.parametrize("gone", ["HostToDevice", "float32"])
def test_a_report_of_results_without_what_most_have(gone, tmp_path):
    """No transfers to a GPU, or none of float32."""
    folder = shutil.copytree(ROOT / "results" / IN_README, tmp_path / "results" / IN_README)
    shutil.copy(ROOT / "results" / "benchmarks.json", tmp_path / "results")
    (path,) = folder.glob("*-*.json")
    found = json.loads(path.read_text())
    if gone == "HostToDevice":
        found["results"] = {name: row for name, row in found["results"].items() if gone not in name}
    else:
        for row in found["results"].values():
            row[1] = [[one.replace("float32", "bfloat16") for one in axis] for axis in row[1]]
    path.write_text(json.dumps(found))
    assert page.write(tmp_path / "report.html", tmp_path / "results") == []
    table, _ = points.load(tmp_path / "results")
    assert len(table)
    assert len(page.newest(table)) == (len(table) if gone == "float32" else 0)


@pytest.mark.parametrize("name", ["points.json", "."])
def test_a_report_where_none_can_be_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        report.main(["--output", name])
    assert not list(tmp_path.iterdir())


def test_a_report_from_a_checkout_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(points, "ROOT", tmp_path / "root")
    (tmp_path / "root").write_text("as root everything else can be")
    page.write(tmp_path / "report.html", ROOT / "results")
    assert "vega" in (tmp_path / "report.html").read_text()


def test_publishing_says_how_to_get_the_report(clone):
    lacking = clone.home / "sitecustomize.py"
    lacking.write_text("import sys\nsys.modules['altair'] = None\n")
    done = clone.asv("publish", PYTHONPATH=str(clone.home))
    assert done.returncode == 0, done.stdout
    says = "No report: this Python has no altair: pip install -r requirements/dev.txt"
    assert done.stdout.count("No report") == done.stdout.count(says) == 1
    site = clone.path / ".asv" / "html"
    assert (site / "index.json").exists()
    assert not (site / "report.html").exists()


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A clone with a broken result and broken machines, published; what was said of them."""
    clone = new_clone(tmp_path_factory.mktemp("broken"))
    results = clone.path / "results"
    for name, content in BROKEN_MACHINES.items():
        shutil.copytree(results / "nvidia-h200", results / name)
        (results / name / "machine.json").write_bytes(content)
    (results / "nvidia-h200" / "deadbeef-existing-py3.12.json").write_text("not JSON")
    done = clone.asv("publish")
    assert done.returncode == 0, done.stdout
    return clone.path, done.stdout


def test_publishing_goes_on_where_a_result_is_broken(published):
    path, said = published
    assert "Left out: nvidia-h200/deadbeef-existing-py3.12.json: Error parsing" in said
    report = (path / ".asv" / "html" / "report.html").read_text()
    assert "deadbeef" in report
    assert str(path) not in report


def test_publishing_goes_on_where_machines_are_broken(published):
    path, said = published
    for name in BROKEN_MACHINES:
        assert f"Left out: {name}: machine.json is missing or broken" in said
    machines = json.loads((path / ".asv" / "html" / "index.json").read_text())["machines"]
    recorded = {path.parent.name for path in VERSION_1.glob("*/machine.json")}
    assert set(machines) == recorded


def test_the_report_is_one_command(clone):
    words = (sys.executable, "scripts/report.py", "--output", "new/report.html")
    done = clone.call(*words)
    assert done.stdout == "The report is new/report.html\n"
    assert done.returncode == 0
    assert "vegaEmbed(" in (clone.path / "new" / "report.html").read_text()
    listed = clone.path / "results" / "benchmarks.json"
    listed.unlink()
    done = clone.call(*words)
    assert done.returncode == 1
    assert re.fullmatch(r"benchmarks\.json: [^\n]*\n", done.stdout)
    for content in "[]", "{}", "not JSON":
        listed.write_text(content)
        with pytest.raises(SystemExit, match=r"^benchmarks\.json: [^\n]*$"):
            report.main(["--output", str(clone.path / "r.html"), "--results", str(listed.parent)])


def test_a_step_of_all_methods_is_marked_at_each(tmp_path):
    for number in range(6):
        slow = 1.5 if number >= 3 else 1.0
        commit = stated.COMMITS[number]
        stated.result(tmp_path, lambda point, slow=slow: slow, commit, number, drift=0.01)
    table, _ = points.load(tmp_path)
    changes, _ = history.of_machine(tmp_path, stated.MACHINE)
    rows = history_chart.steps(history_chart.series(table), {stated.MACHINE: (changes, [])})
    assert set(rows["commit"]) == {stated.COMMITS[3]}
    assert len(rows) == 4 * 2 * 2 * 7
    assert set(rows["method"]) == set(stated.METHODS)
    assert rows["step"].between(44, 56).all()  # per cent longer
