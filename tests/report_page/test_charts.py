"""The charts of results/ in a real browser: what each mark says is what the table and the answers
say; a tap shows it."""

import math
import re

import pytest

from scripts.answers import standings
from scripts.reading import points
from scripts.report_page import chart_data
from scripts.report_page import page as report_page
from scripts.report_page.look import GREY
from scripts.words.formats import duration, factor, percent, size
from scripts.words.vocabulary import MEMORY, TRANSFERS
from tests.conftest import ROOT
from tests.report_page.test_report import marks, number, wait

MACHINE = "nvidia-h100-80gb-hbm3"


@pytest.fixture(scope="module")
def run():
    """The rows of the machine's newest result."""
    table, _ = points.load(machines=[MACHINE])
    return report_page.newest(table).query("status == 'ok'")


@pytest.fixture(scope="module")
def phone(tmp_path_factory, chromium):
    """The page of results/, open on a phone."""
    path = tmp_path_factory.mktemp("charts") / "report.html"
    report_page.write(path, ROOT / "results")
    screen = {"width": 375, "height": 700}
    with chromium.new_context(viewport=screen, has_touch=True, offline=True) as context:
        page = context.new_page()
        page.goto(f"{path.as_uri()}?machine={MACHINE}")
        charts = "[...document.querySelectorAll('.chart')].every(e => e.querySelector('svg'))"
        page.wait_for_function(charts)
        page.add_style_tag(content="html { scroll-behavior: auto !important }")
        yield page


def colours(page, chart):
    """What fills each mark, in the order of `marks`."""
    return page.eval_on_selector_all(
        f"#{chart} [aria-roledescription='point'][aria-label]",
        "all => all.map(e => e.getAttribute('fill'))",
    )


def sorted_by(rows, *names):
    return sorted(tuple(row[name] for name in names) for row in rows)


def test_the_relative_chart_says_how_each_stands_and_no_tie_is_the_fastest(phone, run):
    wanted = []
    for memory in MEMORY:
        for operation in TRANSFERS:
            for one in standings.of(run, operation, memory):
                first = "the fastest" if one.fastest else "cannot be told from the fastest"
                for method in one.rows:
                    cost = one.others.get(method)
                    stands = first if cost is None else f"{percent(round(cost, 2))} longer"
                    wanted.append((method, size(one.nbytes), stands))
    found = marks(phone, "relative")
    assert sorted_by(found, "method", "size", "beside the fastest") == sorted(wanted)
    for mark, colour in zip(found, colours(phone, "relative"), strict=True):
        tied = mark["beside the fastest"] == "cannot be told from the fastest"
        assert (colour == GREY) == tied
    assert {colour == GREY for colour in colours(phone, "relative")} == {True, False}


def test_alone_or_with_unknown_noise_nothing_is_the_fastest(run):
    rows = chart_data.transfers(run)
    rows = rows[rows["memory"].eq("pinned") & rows["dtype"].eq("float32")]
    alone = chart_data.standings(rows[rows["method"].eq("torch")], "panel", "nbytes")
    assert set(alone["stands"]) == {"nothing else was measured"}
    unknown = rows.assign(relative_sd=math.nan)
    found = chart_data.standings(unknown, "panel", "nbytes")
    assert set(found["stands"]) == {"cannot be told from the fastest"}


def test_beyond_the_link_is_a_number_or_a_limit(phone, run):
    link = run[run["operation"].eq("link")].set_index("nbytes")["seconds"]
    rows = run[run["memory"].eq("pinned") & run["operation"].isin(list(TRANSFERS))]
    rows = rows[rows["dtype"].eq("float32")]
    known = {}
    for row in rows.itertuples():
        more = 1e6 * (row.seconds - link[row.nbytes])
        known.setdefault((row.method, size(row.nbytes), duration(row.seconds)), []).append(more)
    found = marks(phone, "beyond_the_link")
    assert len(found) == len(rows) == 56
    for mark, colour in zip(found, colours(phone, "beyond_the_link"), strict=True):
        said = mark["beyond the link"]
        values = known[mark["method"], mark["size"], mark["in all"]]
        if limit := re.fullmatch(r"less than ([\d.]+) µs \(99 %\)", said):
            assert colour == GREY
            assert any(value < float(limit[1]) for value in values)
        else:
            told = re.fullmatch(r"([\d.]+) µs \(99 %: ([\d.]+) to ([\d.]+)\)", said)
            value, low, high = map(float, told.groups())
            assert colour != GREY
            assert 0 < low < value < high
            assert any(value == pytest.approx(one, rel=0.006) for one in values)
    assert {mark["beyond the link"].startswith("less") for mark in found} == {True, False}


def test_the_ways_are_held_against_the_array_as_it_is(phone, run):
    wanted = []
    for operation, state in (("ordinary_warm", ""), ("ordinary_cold", " cold")):
        for one in standings.of(run, operation):
            for way in one.rows:
                fast, slow = one.gain("direct", way), one.gain(way, "direct")
                said = "itself" if way == "direct" else "cannot be told from it"
                said = f"{factor(fast)} times as fast" if fast else said
                said = f"{factor(slow)} times as long" if slow else said
                wanted.append((way, size(one.nbytes) + state, said))
    assert sorted_by(marks(phone, "ordinary"), "way", "size", "against direct") == sorted(wanted)


def test_many_arrays_and_the_way_back_draw_every_point(phone, run):
    rows = run[run["operation"].eq("many_arrays")]
    wanted = sorted(zip(rows["way"], map(duration, 256 * rows["seconds"]), strict=True))
    found = [{**mark, "way": f"{mark['how']} {mark['method']}"} for mark in marks(phone, "many")]
    assert sorted_by(found, "way", "all 256") == wanted
    rows = run[run["operation"].isin(["existing_host_array", "new_host_array"])]
    rates = sorted(number(mark["GB/s"]) for mark in marks(phone, "back"))
    assert rates == pytest.approx(sorted(rows["gb_per_s"]), rel=1e-4)


@pytest.mark.parametrize("chart", ["relative", "ordinary", "latency"])
def test_a_tap_beside_a_mark_shows_its_numbers_until_the_next_tap(phone, chart):
    mark = phone.locator(f"#{chart} [aria-roledescription='point'][aria-label]").last
    mark.evaluate("e => e.scrollIntoView({block: 'center'})")
    wait(phone)
    box = mark.bounding_box()
    phone.touchscreen.tap(box["x"] + box["width"] + 3, box["y"] + 1)
    told = phone.locator("#vg-tooltip-element.visible")
    told.wait_for()
    label = dict(part.split(": ", 1) for part in mark.get_attribute("aria-label").split("; "))
    for name in {"method", "way", "size"} & {*label}:
        assert label[name] in told.inner_text()
    assert told.bounding_box()["x"] >= 0
    assert told.bounding_box()["x"] + told.bounding_box()["width"] <= 375
    phone.touchscreen.tap(3, box["y"] - 120)
    told.wait_for(state="detached")
