"""The history in a real browser: six stacks whose steps, doubts and changes are planted.

They are those of tests/change_points/test_stacks.py: derived from a recorded result.
"""

import itertools
import re

import pytest

from scripts.change_points import in_words
from scripts.report_page import page as report_page
from tests.change_points import test_stacks
from tests.change_points.test_stacks import COMMITS, FACTS, MACHINE, NARROW
from tests.report_page.test_report import choose, looking, marks, of_machine

QUIET = "without-steps"
LIBRARIES = "cuda-python", "torch", "cupy", "pycuda", "numpy", "cuda runtime"
STEP = 3  # the number of the commit where all libraries are others
NEW = {name: f"{FACTS[name]}.1" for name in LIBRARIES}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory):
    """The page of two machines, one with a step of small sizes; and what the history says."""
    folder = tmp_path_factory.mktemp("history")

    def planted(number, method, memory, nbytes):
        small = method == "pycuda" and memory == "pinned" and int(nbytes) <= 64 << 10
        return 1.05 if small and number >= STEP else 1.0

    altered = {number: NEW for number in range(STEP, 6)}
    altered |= {1: NARROW, 2: NARROW, 5: NEW | {"gpu uuid hash": "another"}}
    found = test_stacks.made(folder / "results", planted, 1, altered)
    test_stacks.made(folder / "results", seed=0, machine=QUIET)
    report_page.write(folder / "report.html", folder / "results")
    return folder / "report.html", found


@pytest.fixture
def look_at(stacks, chromium):
    """Opens the page at a width, and shows the machine with the step."""
    with looking(chromium) as look:

        def at(width=1280):
            page = look(stacks[0], width)
            of_machine(page, MACHINE)
            return page

        yield at


def labels(page):
    """The text and the box of each label of the axis, from left to right."""
    found = page.eval_on_selector_all(
        "#history .role-axis-label text",
        """all => all.map(e => {
          const { left, right, top, bottom } = e.getBoundingClientRect();
          const lines = [...e.querySelectorAll("tspan")].map(line => line.textContent);
          return [lines.length ? lines : [e.textContent], left, right, top, bottom];
        })""",
    )
    of_results = [one for one in found if re.match(r"\d{4}-\d\d-\d\d", one[0][0])]
    return sorted(of_results, key=lambda one: one[1])


@pytest.mark.parametrize("width", [375, 240, 1280])
def test_every_commit_has_its_label_and_no_words_overlap(look_at, width):
    page = look_at(width)
    found = labels(page)
    assert [" ".join(lines)[11:19] for lines, *_ in found] == [one[:8] for one in COMMITS]
    for (_, *one), (_, *other) in itertools.combinations(found, 2):
        beside = one[1] <= other[0] or other[1] <= one[0]
        assert beside or one[3] <= other[2] or other[3] <= one[2]
    texts = [" ".join(lines) for lines, *_ in found]
    assert "driver 590" in texts[4]
    assert "another GPU of its kind" in texts[5]
    assert [number for number, text in enumerate(texts) if "doubtful" in text] == [1, 2]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    _, left, right, *_ = found[STEP]
    assert 0 <= left <= right <= width  # also where the chart is wider, and scrolled
    wide, room = page.eval_on_selector(
        "#history", "e => [e.querySelector('svg').clientWidth, e.clientWidth]"
    )
    assert (wide > room) == (width == 240)
    if width == 1280:
        lines = found[STEP][0]
        assert set(lines) >= {f"{name} {version}" for name, version in NEW.items()}


def test_it_opens_where_the_largest_step_is(look_at):
    page = look_at()

    def steps():
        return [one for one in marks(page, "history") if one["step, %"] != "null"]

    def series():
        all_menus = page.locator("#history select").all()
        return [menu.evaluate("e => e.selectedOptions[0].label") for menu in all_menus][:3]

    (step,) = steps()
    assert step["method"] == "pycuda"
    assert 4 < float(step["step, %"]) < 6.5
    assert series()[2] in ("1 KiB", "8 KiB", "64 KiB")
    of_machine(page, QUIET)
    assert series() == ["pinned", "existing array", "256 MiB"]
    assert not steps()
    assert "history." not in page.url
    choose(page, "history", "size", "4 MiB")
    assert "history.size=4+MiB" in page.url
    of_machine(page, MACHINE)
    assert series()[2] == "4 MiB"  # what is chosen stays


def test_at_a_step_the_mark_names_all_versions_that_changed(look_at):
    (step,) = (one for one in marks(look_at(), "history") if one["step, %"] != "null")
    assert step["changed there"] == ", ".join(f"{name} {NEW[name]}" for name in LIBRARIES)


def test_a_doubtful_result_is_marked_in_chart_and_list(look_at):
    page = look_at()
    words = "The link ran as Gen5 x8 under load"
    for mark in marks(page, "history"):
        doubt = mark["name"] in (COMMITS[1][:8], COMMITS[2][:8])
        assert mark["doubtful"].startswith(words) == doubt
        assert doubt or mark["doubtful"] == "no"
    pale = page.locator("#history [aria-roledescription='point'][fill-opacity='0.25']").count()
    assert pale == 2 * 4
    said = page.locator("#since .doubtful:visible").all_inner_texts()
    assert [line[:20] for line in said] == [f"Doubtful, {COMMITS[at][:8]}: " for at in (1, 2)]
    assert all(words in line for line in said)
    assert "c0ffee03, after c0ffee02 (doubtful)" in page.inner_text("#since details:visible")


def test_page_and_gate_say_the_same(stacks, look_at):
    page, (changes, said) = look_at(), stacks[1]
    text = page.inner_text("#since")
    lines = in_words.text(changes, said).splitlines()
    assert any(line.startswith("  recorded facts: numpy ") for line in lines)
    assert not [line for line in lines if line.strip() not in text]
    of_machine(page, QUIET)
    least = r"a step of a library of \S+ % or more in pinned memory or of \S+ % .* been found\."
    assert re.search(least, page.inner_text("#since"))


def test_no_line_ends_between_a_number_and_its_unit(look_at):
    page = look_at(375)
    page.fill("#ask [name=size]", "3 MB")
    found = page.evaluate(
        """() => {
          const pattern = /\\d (%|[KMG]?i?B(\\/s)?|[mµ]?s)(?![\\w\\/])/g, found = [];
          const walk = document.createTreeWalker(document.querySelector("main"), 4);
          while (walk.nextNode()) {
            const node = walk.currentNode, range = document.createRange();
            if (!node.parentElement.closest("p, li, td, th, summary")?.offsetParent) continue;
            for (const match of node.data.matchAll(pattern)) {
              range.setStart(node, match.index);
              range.setEnd(node, match.index + match[0].length);
              found.push([match[0], range.getClientRects().length]);
            }
          }
          return found;
        }"""
    )
    assert len(found) > 100
    assert not [number for number, lines in found if lines > 1]
    assert page.locator("#reply .one").count() > 3
