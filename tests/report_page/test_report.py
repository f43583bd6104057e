"""The report in a real browser with no network: what it draws is what the table holds."""

import collections
import contextlib
import json
import re
import shutil
import subprocess
import tarfile
import types
from datetime import UTC, datetime

import markupsafe
import numpy
import pytest

from scripts.answers import choosing
from scripts.gate import pairs, recording, verdict
from scripts.reading import points
from scripts.recording import noise
from scripts.report_page import calibration_shown, chart_data, charts, drawn, look
from scripts.report_page import page as report_page
from scripts.report_page.charts import history as history_chart
from scripts.report_page.look import GREY
from scripts.words.formats import percents, size
from scripts.words.vocabulary import KINDS, OTHERS, TRANSFERS
from tests import derived
from tests.conftest import ROOT

EXISTING = TRANSFERS["existing_array"].benchmark

CALIBRATION = derived.RECORDED / "nvidia-h100-80gb-hbm3" / "calibration.jsonl"
CALIBRATED = CALIBRATION.parent.name
MARKUP = "<script>alert(1)</script>&amp;'\"\\"  # a machine's name
CHARTS = "relative", "bandwidth", "latency", "dtypes", "history", "machines"
DAY = 86_400_000
TORCH_NEW = "host_to_device.HostToDevice.time_new_array"


def stacks():
    """Commits whose pins differ, oldest first."""
    command = ["git", "log", "--reverse", "--format=%H", "--", "requirements/cu13.txt"]
    return subprocess.check_output(command, cwd=ROOT, text=True).split()[:3]


def slower(name, index):
    """At the last commit new arrays take torch 1.5 times as long; two points have no number."""
    if name == EXISTING and index in (15, 16):
        return [None, float("nan")][index - 15]
    return 1.5 if name == TORCH_NEW and 70 <= index < 140 else 1.0


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A page of two machines and three commits, and the table that it was made from."""
    folder = tmp_path_factory.mktemp("report")
    for machine in (derived.MACHINE, MARKUP):
        for number, commit in enumerate(stacks()):
            facts = {"driver": f"580.{number // 2}", "kernel": "6.1", "note": "<b>"}
            change = slower if number == 2 else lambda name, index: 1.0
            derived.result(folder / "results", machine, commit, number * DAY, change, facts)
    assert report_page.write(folder / "report.html", folder / "results") == []
    return folder / "report.html", points.load(folder / "results")[0]


@contextlib.contextmanager
def looking(chromium):
    """A function that opens a page with no network; what it complains of, or asks for, fails."""
    complaints, contexts = [], []

    def look(path, width=1280, scheme="light", query=""):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: asked(request.url))
        page.goto(path.as_uri() + query)
        drawn = "[...document.querySelectorAll('.chart')].every(e => e.querySelector('svg'))"
        page.wait_for_function(drawn)
        return page

    def asked(url):
        if not url.startswith(("file:", "data:")):
            complaints.append(url)

    yield look
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def look_at(chromium):
    with looking(chromium) as look:
        yield look


@pytest.fixture(scope="module")
def shared(made, chromium):
    """The page of `made`, for tests that need no fresh one."""
    with looking(chromium) as look:
        yield look(made[0])


@pytest.fixture
def one_chart(monkeypatch):
    """A page with one chart beside the history: it is made in half of the time."""
    for name in set(charts.CHARTS) - {"bandwidth"}:
        monkeypatch.delitem(charts.CHARTS, name)


def marks(page, chart, role="point"):
    """What the marks of a chart say of themselves, a dictionary each."""
    labels = page.eval_on_selector_all(
        f"#{chart} [aria-roledescription='{role}'][aria-label]",
        "all => all.map(e => e.getAttribute('aria-label'))",
    )
    return [dict(part.split(": ", 1) for part in label.split("; ")) for label in labels]


def shown(table, machine=derived.MACHINE):
    """The rows of the machine's newest result that were measured, and are transfers."""
    rows = report_page.newest(table[table["machine"].eq(machine)])
    return chart_data.transfers(rows[rows["status"].eq("ok")])


def wait(page):
    page.evaluate("() => new Promise(done => setTimeout(done, 100))")


def switch(page, chart, name):
    page.locator(f"#{chart} label", has_text=re.compile(f"^{re.escape(name)}$")).click()
    wait(page)


def choose(page, chart, menu, value):
    page.locator(f"#{chart} label", has_text=f"{menu} ").locator("select").select_option(
        label=value
    )
    wait(page)


def of_machine(page, name):
    """Choose a machine for the whole page."""
    page.select_option("#machine", name)
    wait(page)


def number(text):
    return float(text.replace("\N{MINUS SIGN}", "-").replace(",", ""))


@pytest.mark.parametrize("width", [1280, 390])
def test_it_opens_from_a_file_and_fits(made, look_at, width):
    page = look_at(made[0], width)
    drawn = page.eval_on_selector_all(".chart", "all => all.map(e => e.id)")
    assert set(CHARTS) <= set(drawn)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for chart in drawn:
        box = page.locator(f"#{chart} svg").bounding_box()
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width
        panels = page.locator(f"#{chart} .mark-group > g > path.background").all()
        wide = max(panel.bounding_box()["width"] for panel in panels)
        assert 250 < wide < 1040
    for scheme in "light", "dark":
        page.emulate_media(color_scheme=scheme)
        inks = page.eval_on_selector_all(
            ".chart svg text", "all => [...new Set(all.map(e => getComputedStyle(e).fill))]"
        )
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert all(contrast(ink, paper) > 7 for ink in inks)


def contrast(*colours):
    """The contrast ratio of two CSS colours, as WCAG 2 defines it."""
    light, dark = sorted(map(luminance, colours), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    parts = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    linear = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_it_is_one_small_file(made):
    text = made[0].read_text()
    assert len(text.encode()) < 8 << 20
    assert not re.search(r'<(script|link)[^>]*(src|href)="(?!data:)', text)


def test_bandwidth_draws_every_point_of_the_table(made, look_at):
    page, table = look_at(made[0]), made[1]
    of_machine(page, derived.MACHINE)
    rows = shown(table)
    assert len(rows) == 560 - 2

    def drawn(rows):
        found = marks(page, "bandwidth")
        keys = [(mark["method"], mark["dtype"], mark["size"], mark["GB/s"]) for mark in found]
        columns = zip(
            *(rows[name] for name in ("method", "dtype", "size", "gb_per_s")), strict=True
        )
        wanted = [(*map(str, names), f"{rate:.5g}") for *names, rate in columns]
        counted = collections.Counter((*names, float(rate)) for *names, rate in wanted)
        assert collections.Counter((*names, number(rate)) for *names, rate in keys) == counted
        return found

    floats = rows["dtype"].eq("float32")
    assert len(drawn(rows[floats])) == 112 - 2
    assert len(marks(page, "bandwidth", "line mark")) == 2 * 4 + 4 * 4
    assert len(marks(page, "bandwidth", "area mark")) == 4 * 4
    switch(page, "bandwidth", "torch")
    drawn(rows[floats & rows["method"].ne("torch")])
    switch(page, "bandwidth", "torch")
    switch(page, "bandwidth", "uint8")
    drawn(rows[rows["dtype"].isin(["float32", "uint8"])])
    of_machine(page, MARKUP)
    drawn(shown(table, MARKUP)[lambda rows: rows["dtype"].isin(["float32", "uint8"])])


def test_the_other_charts_draw_every_point(made, look_at):
    page, rows = look_at(made[0]), shown(made[1])
    of_machine(page, derived.MACHINE)
    floats = rows[rows["dtype"].eq("float32")]
    small = floats[floats["nbytes"].le(64 << 10)]
    found = marks(page, "latency")
    micros = sorted(number(mark["µs"]) for mark in found)
    assert micros == sorted(float(f"{1e6 * value:.5g}") for value in small["seconds"])
    assert len(marks(page, "latency", "rule mark")) == len(small) + 4  # a floor a panel
    assert len(marks(page, "dtypes")) == len(rows)
    assert len(marks(page, "dtypes", "bar")) == 4 * 7
    existing = floats[floats["panel"].eq("pinned memory, existing array")]
    largest = existing[existing["nbytes"].eq(existing["nbytes"].max())]
    choose(page, "history", "into", "existing array")
    found = marks(page, "history")
    assert len(found) == 3 * 4
    last = {
        mark["method"]: number(mark["GB/s"]) for mark in found if mark["name"] == stacks()[2][:8]
    }
    assert last == {str(row.method): float(f"{row.gb_per_s:.5g}") for row in largest.itertuples()}
    found = marks(page, "machines")
    assert len(found) == 2 * 2 * 7  # GB/s and share, machines, sizes
    strokes = page.eval_on_selector_all(
        "#machines [aria-roledescription='point'][aria-label]",
        "all => all.map(e => e.getAttribute('stroke'))",
    )
    of_chosen = [mark["machine"] == derived.MACHINE for mark in found]
    assert [stroke != GREY for stroke in strokes] == of_chosen
    link = made[1][made[1]["benchmark"].eq("reference.Link.time_link")].set_index("nbytes")
    for mark in found:
        (row,) = existing[
            existing["size"].eq(mark["size"]) & existing["method"].eq("cuda-python")
        ].itertuples()
        share = 100 * row.gb_per_s / link.loc[row.nbytes, "gb_per_s"].iloc[0]
        assert number(mark["% of the ceiling"]) == pytest.approx(share, rel=1e-4)


def test_pointing_at_a_mark_shows_the_tables_numbers(made, look_at):
    page = look_at(made[0])
    of_machine(page, derived.MACHINE)
    for name in ("cuda-python", "torch", "cupy"):
        switch(page, "bandwidth", name)
    rows = shown(made[1]).query("dtype == 'float32' and method == 'pycuda' and nbytes == 1024")
    (row,) = rows[rows["panel"].eq("pinned memory, existing array")].itertuples()
    page.locator(
        "#bandwidth [aria-roledescription='point'][aria-label*='size: 1 KiB']"
    ).first.hover()
    told = page.locator("#vg-tooltip-element tr").all_inner_texts()
    told = dict(map(str.strip, re.split(":?\t", line)) for line in told)
    assert (told["method"], told["size"]) == ("pycuda", "1 KiB")
    assert number(told["GB/s"]) == pytest.approx(row.gb_per_s, rel=1e-4)
    assert number(told["99 % from"]) == pytest.approx(row.gb_per_s_low_99, rel=1e-4)
    assert number(told["to"]) == pytest.approx(row.gb_per_s_high_99, rel=1e-4)
    assert number(told["µs"]) == pytest.approx(1e6 * row.seconds, rel=1e-4)


def test_a_step_is_marked_and_says_what_changed(made, look_at):
    page = look_at(made[0])
    of_machine(page, derived.MACHINE)
    choose(page, "history", "into", "new array")
    steps = [mark for mark in marks(page, "history") if mark["step, %"] != "null"]
    assert [(mark["method"], mark["name"]) for mark in steps] == [("torch", stacks()[2][:8])]
    assert number(steps[0]["step, %"]) == -33.3
    told = page.locator("#since details", has_text=derived.MACHINE)
    assert told.count() == 1
    told.evaluate("e => e.open = true")
    text = told.inner_text()
    assert f"{stacks()[2][:8]} (doubtful), after {stacks()[1][:8]} (doubtful)" in text
    for memory in "pinned", "pageable":
        assert re.search(rf"torch, {memory}(, new array)?: 50\.0 % more time", text)
    assert "new array, +50.0 %: 1 KiB +50.0 %" in text
    assert "one side of it is a single commit" in text
    assert "recorded facts: driver 580.0 -> 580.1\n" in f"{text}\n"  # as gate.py history says it
    words = ["git", "diff", "-U0", *stacks()[1:], "--", "requirements/cu13.txt"]
    diff = subprocess.check_output(words, cwd=ROOT, text=True)
    moved = re.findall(r"^\+([\w-]+)==(\S+)", diff, re.MULTILINE)
    assert moved or "pins: the same" in text
    for name, version in moved:
        assert re.search(rf"^pins: .*cu13: {name} \S+ -> {re.escape(version)}", text, re.MULTILINE)


def test_every_text_is_escaped(shared):
    of_machine(shared, MARKUP)
    assert MARKUP in shared.locator("#which details:visible summary").text_content()
    assert shared.locator("b").count() == 0  # what the provenance holds
    assert MARKUP in shared.locator("#machine").inner_text()


def test_the_tables_say_what_choosing_does(made, shared):
    of_machine(shared, derived.MACHINE)
    table = shared.locator("#which table.choosing:visible").first
    names = table.locator("thead th").all_inner_texts()[1:-1]
    rows = table.locator("tbody tr").all_inner_texts()
    assert names == look.methods(made[1])
    run = report_page.newest(made[1][made[1]["machine"].eq(derived.MACHINE)])
    wanted = choosing.fastest(run, "pinned", "existing_array")
    assert len(rows) == len(wanted)
    for row, answer in zip(rows, wanted, strict=True):
        first = "fastest" if len(answer["best"]) == 1 else "tied"
        cells = dict.fromkeys(answer["best"], first)
        cells |= {name: f"+{percents(*costs)}" for name, costs in answer["others"].items()}
        margin = percents(*answer["margin"])
        assert row.split("\t") == [answer["sizes"], *(cells[name] for name in names), margin]


def test_pinning_and_cold_start_are_shown_where_recorded(tmp_path, look_at, one_chart):
    path = derived.result(tmp_path, "m", "c0ffee00" * 5, 1)
    report_page.write(tmp_path / "before.html", tmp_path)
    text = (tmp_path / "before.html").read_text()
    assert "What pinning itself costs is not recorded here." in text
    assert "Cold start and installed size are not recorded here." in text
    pin = OTHERS["pin"]
    derived.add_benchmark(path, pin, "seconds", {("torch", 4 << 20): 1e-3, ("torch", 1024): 1e-3})
    derived.add_benchmark(path, "cold_start.ColdStart.time_import", "seconds", {("torch",): 4.5})
    derived.add_benchmark(
        path, "cold_start.ColdStart.track_installed_bytes", "bytes", {("torch",): 5.4321e9}
    )
    assert report_page.write(tmp_path / "report.html", tmp_path) == []
    run, _ = points.load(tmp_path)
    pays = choosing.transfers_to_pay(run, "existing_array")["torch"]
    text = look_at(tmp_path / "report.html").inner_text("#which")
    assert pays[1024] is None
    assert re.search(rf"^1 KiB\s+never\n\s*4 MiB\s+{pays[4 << 20]}$", text, re.MULTILINE)
    assert re.search(r"^\s*torch\s+4\.5 s\s+—\s+—\s+—\s+5,432 MB$", text, re.MULTILINE)


def test_where_the_noise_is_unknown_nothing_is_told_apart(tmp_path, look_at, one_chart):
    path = derived.result(tmp_path, "m", "c0ffee00" * 5, 1)
    noise.path_beside(path).unlink()
    assert report_page.write(tmp_path / "report.html", tmp_path) == []
    text = look_at(tmp_path / "report.html").inner_text("#which")
    assert "The noise of these numbers is not known" in text
    assert "is faster than pageable" not in text
    assert "faster than pageable with" not in text
    run = report_page.newest(points.load(tmp_path)[0])
    (only,) = choosing.fastest(run, "pinned", "existing_array")
    assert (len(only["best"]), only["others"]) == (4, {})


def test_a_page_of_no_results(tmp_path, look_at):
    derived.recorded(tmp_path)
    report_page.write(tmp_path / "report.html", tmp_path)
    text = look_at(tmp_path / "report.html").inner_text("body")
    assert "There are no results with a GPU to show" in text


def test_a_page_of_what_is_left_of_broken_results(tmp_path, look_at, one_chart):
    nan = float("nan")

    def half(name, index):
        return nan if name == TORCH_NEW or index % 2 else 1.0

    derived.result(tmp_path, "half", "c0ffee00" * 5, 1, half)
    derived.result(tmp_path, "nothing", "c0ffee00" * 5, 1, lambda name, index: nan)
    derived.result(tmp_path, "broken", "c0ffee00" * 5, 1).write_text(MARKUP)
    (tmp_path / "half" / "c0ffee00-existing-py3.12.provenance.jsonl").write_text("{}")
    left_out = report_page.write(tmp_path / "report.html", tmp_path)
    page = look_at(tmp_path / "report.html")
    text = page.inner_text("body")
    assert len(left_out) == 2
    assert all(line in text for line in left_out)
    assert "half/c0ffee00-existing-py3.12.provenance.jsonl: its provenance file is broken" in text
    assert "2 inputs were left out" in text
    assert "not shown: nothing" in text
    table, _ = points.load(tmp_path)
    rows = shown(table, "half")
    assert len(rows) == 140
    found = marks(page, "bandwidth")
    assert len(found) == rows["dtype"].eq("float32").sum() > 0
    assert all(number(mark["GB/s"]) > 0 for mark in found)


def finds(look_at, path):
    """The section on comparisons: its text, and its table's rows, with the kind in each."""
    page = look_at(path, width=390)
    if CALIBRATED in page.locator("#machine option").evaluate_all("all => all.map(e => e.value)"):
        page.select_option("#machine", CALIBRATED)
    section = page.locator("#finds")
    section.locator("details").evaluate_all("all => all.forEach(e => e.open = true)")
    rows = []
    for row in section.locator("tbody tr:visible").all_inner_texts():
        cells = [cell.strip() for cell in row.split("\t")]
        rows.append(cells if len(cells) == 5 else [rows[-1][0], *cells, rows[-1][-1]])
    return section.inner_text(), rows


def test_it_shows_what_a_comparison_can_find(tmp_path, look_at, one_chart):
    assert report_page.write(tmp_path / "report.html", derived.RECORDED) == []
    text, rows = finds(look_at, tmp_path / "report.html")
    first, runs, lines = recording.read(CALIBRATION)
    visits = pairs.of(lines)
    found = verdict.judge(visits.groupby(pairs.SERIES).head(4), visits)
    families = found.families.assign(least=verdict.promise(found.families))
    families = families.groupby("kind")["least"].median()
    series = found.series.assign(least=verdict.promise(found.series))
    wanted = []
    for kind in KINDS:
        for nbytes, here in series[series["kind"].eq(kind)].groupby("nbytes"):
            logs = here["own"].median(), here["least"].median(), families[kind]
            wanted.append([kind, size(nbytes), *(in_percent(value) for value in logs)])
    assert rows == wanted
    assert {row[0] for row in rows} == set(KINDS)
    assert "NVIDIA H100 80GB HBM3, commit" in text
    day = datetime.fromtimestamp(lines[-1]["ended"] / 1000, UTC)
    assert f"{len(visits)} pairs of processes of commit {first['sides'][0][:8]}" in text
    assert f"measured on {day:%Y-%m-%d}, GPU driver {runs[-1]['facts']['driver']}" in text
    assert "has no calibration" not in text


def in_percent(logarithm):
    value = 100 * numpy.expm1(logarithm)
    return percents(value, value)


def test_more_processes_in_a_calibration_promise_no_more(tmp_path):
    """What is said is of 4 processes a side; that of more would be two thirds of it."""
    first, run, *_ = CALIBRATION.read_text().splitlines()
    lines = recording.read(CALIBRATION)[2]
    lines = [line for line in lines if line["round"] < pairs.FEWEST]
    again = [line | {"round": line["round"] + 10} for line in lines]
    promised = []
    for name, some in ("once", lines), ("twice", lines + again):
        (tmp_path / name).write_text("\n".join([first, run, *map(json.dumps, some), ""]))
        promised.append(numpy.array(least(tmp_path / name)))
    assert numpy.median(promised[1] / promised[0]) > 0.9


def least(path):
    """All slowdowns that the page says are found with the calibration at `path`."""
    kinds = calibration_shown.shown(path)["kinds"]
    return [size[2] for kind in kinds for size in kind["sizes"]] + [
        kind["family"] for kind in kinds
    ]


BROKEN = {
    "it is no recording of gate.py's, or a broken one: delete it to begin anew": lambda: (
        "half a li\n"
    ),
    "it has nothing that was measured on both sides": lambda: "\n".join(
        [*(line for line in CALIBRATION.read_text().splitlines() if '"change"' not in line), ""]
    ),
}


@pytest.mark.parametrize("why", BROKEN)
def test_a_broken_calibration_is_left_out(tmp_path, why):
    (derived.recorded(tmp_path) / "calibration.jsonl").write_text(BROKEN[why]())
    left_out = report_page.write(tmp_path / "report.html", tmp_path)
    assert left_out == [f"{derived.MACHINE}/calibration.jsonl: {why}"]
    assert str(markupsafe.escape(left_out[0])) in (tmp_path / "report.html").read_text()


def test_a_calibration_that_cannot_be_read_is_left_out(tmp_path):
    (derived.recorded(tmp_path) / "calibration.jsonl").mkdir()
    left_out = report_page.write(tmp_path / "report.html", tmp_path)
    assert left_out == [f"{derived.MACHINE}/calibration.jsonl: it cannot be read"]


def test_without_a_calibration_it_says_how_to_get_one(made, look_at):
    text, rows = finds(look_at, made[0])
    assert rows == []
    assert "has no calibration" in text
    assert "scripts/gate.py calibrate" in text


def test_older_detail_is_thinned_and_said_so(made, tmp_path, look_at, monkeypatch, one_chart):
    results = made[0].parent / "results"
    monkeypatch.setattr(history_chart, "MOST_ROWS", 450)
    report_page.write(tmp_path / "report.html", results)
    page = look_at(tmp_path / "report.html")
    assert "4 of 6 results are drawn" in page.inner_text("#since")
    choose(page, "history", "into", "new array")
    names = {mark["name"] for mark in marks(page, "history")}
    assert names == {commit[:8] for commit in stacks()[1:]}
    assert len(marks(page, "bandwidth")) == 110


def test_a_chart_is_a_file_and_a_line(made, tmp_path, look_at, monkeypatch, one_chart):
    """One that the template does not know is on the page all the same, and a file for draw.py."""
    ours = types.ModuleType("ours")
    ours.TITLE, ours.CAPTION, ours.draw = "Ours", "What it shows.", charts.bandwidth.draw
    monkeypatch.setitem(charts.CHARTS, "ours", ours)
    results = made[0].parent / "results"
    report_page.write(tmp_path / "report.html", results)
    page = look_at(tmp_path / "report.html")
    assert page.inner_text("#ours-chart h2") == "Ours"
    assert page.inner_text("#ours-chart figcaption") == "What it shows."
    assert len(marks(page, "ours")) == len(marks(page, "bandwidth")) > 0
    drawn.chart("ours", results=results)


def test_one_machine_is_chosen_for_the_page_and_kept_in_its_address(made, look_at):
    page = look_at(made[0])
    first, other = derived.MACHINE, MARKUP

    def whose():
        parts = page.eval_on_selector_all(
            "[data-machine]", "all => all.filter(e => e.offsetParent).map(e => e.dataset.machine)"
        )
        return set(parts)

    assert whose() == {first}
    of_machine(page, other)
    assert whose() == {other}
    choose(page, "history", "into", "new array")
    switch(page, "bandwidth", "torch")
    page.fill("#ask [name=size]", "3 MB")
    page.click("nav a[href='#since']")
    address = page.url
    assert "machine=" in address
    again = look_at(made[0], query=address.removeprefix(made[0].as_uri()))
    assert again.input_value("#machine") == other
    assert again.input_value("#ask [name=size]") == "3 MB"
    assert "Interpolated" in again.inner_text("#reply")
    assert whose() == {other}
    assert again.locator("#history select").nth(1).input_value() == "new array"
    assert {mark["method"] for mark in marks(again, "bandwidth")} == {
        "cuda-python",
        "cupy",
        "pycuda",
    }
    assert len(marks(again, "bandwidth")) == 3 * 28 - 2
    page.go_back()  # from the section
    page.go_back()  # to the first machine, and what was chosen with it
    wait(page)
    assert page.input_value("#machine") == first
    assert whose() == {first}
    assert page.input_value("#ask [name=size]") == "2 MB"
    assert len(marks(page, "bandwidth")) == 110
    assert page.locator(".nothing:visible").count() == 0
    for name in look.methods(made[1]):
        switch(page, "history", name)
    of_machine(page, other)
    (nothing,) = page.locator("figure:has(.nothing:visible)").all()
    assert nothing.locator("#history").count() == 1


def test_without_scripts_every_machine_is_there(made, chromium):
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(made[0].as_uri())
        assert page.locator("#which details").count() == 2
        assert page.locator("#which summary:visible").count() == 2
        assert page.locator("figure:visible").count() == 0
        assert page.locator("#choose:visible").count() == 0
        assert "need JavaScript" in page.inner_text("main")


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """The text of axe-core, which npm fetches."""
    folder = tmp_path_factory.mktemp("axe")
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    pack = ["npm", "pack", "axe-core@4.10.3", "--silent", "--fetch-retries=0"]
    if subprocess.run(pack, cwd=folder, capture_output=True, timeout=60).returncode:
        pytest.skip("npm reaches no registry")
    with tarfile.open(next(folder.glob("*.tgz"))) as packed:
        return packed.extractfile("package/axe.min.js").read().decode()


def test_axe_finds_nothing_serious(shared, axe):
    shared.add_script_tag(content=axe)
    for width, scheme, without in (1280, "light", []), (375, "dark", [[".chart svg"]]):
        shared.set_viewport_size({"width": width, "height": 900})
        shared.emulate_media(color_scheme=scheme)
        run = "without => axe.run({exclude: without}, {resultTypes: ['violations']})"
        found = shared.evaluate(run, without)["violations"]
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        assert not serious, (width, scheme)


def test_printed_nothing_is_folded_and_charts_keep_their_colours(made, shared, tmp_path):
    shared.emulate_media(color_scheme="dark")
    shared.evaluate(
        """() => addEventListener("beforeprint", () => {
            window.folded = document.querySelectorAll("details:not([open])").length
        })"""
    )
    shared.pdf(path=tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert shared.evaluate("folded") == 0
    assert shared.locator("details:not([open])").count() > 0  # as before
    shared.emulate_media(media="print")
    shared.set_viewport_size({"width": 680, "height": 900})
    for hidden in "nav", "#machine", "input[type='checkbox']":
        assert shared.locator(f"{hidden}:visible").count() == 0
    assert shared.locator("#bandwidth label:visible").all_inner_texts() == [
        *look.methods(made[1]),
        "float32",
    ]
    looks = "e => [getComputedStyle(e).printColorAdjust, e.getBoundingClientRect().right]"
    for chart in CHARTS:
        colours, _ = shared.locator(f"#{chart}").evaluate(looks)
        assert colours == "exact"
        assert shared.locator(f"#{chart} svg").evaluate(looks)[1] <= 680
    broken = shared.locator("figure").evaluate_all(
        "all => all.map(e => getComputedStyle(e).breakInside)"
    )
    assert set(broken) == {"avoid"}
    paper = shared.evaluate("getComputedStyle(document.body).backgroundColor")
    shared.emulate_media(media="screen")
    assert paper == "rgb(255, 255, 255)"
