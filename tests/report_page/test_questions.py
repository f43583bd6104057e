"""What a reader asks of the page made of results/: where the answer is, in which words, how sure.

The page of altered provenance says everywhere that its numbers are doubtful.
"""

import itertools
import re
import shutil

import pytest

from scripts.report_page import page as report_page
from tests.conftest import ROOT

MACHINE = "nvidia-h100-80gb-hbm3"


@pytest.fixture(scope="module")
def shown(tmp_path_factory, chromium):
    """The page of results/, open."""
    folder = tmp_path_factory.mktemp("recorded")
    yield from opened(chromium, folder, ROOT / "results")


@pytest.fixture(scope="module")
def doubtful(tmp_path_factory, chromium):
    """The same after a run over half of the lanes, on a throttled GPU."""
    folder = tmp_path_factory.mktemp("altered")
    left = shutil.ignore_patterns("calibration.jsonl", "nvidia-h200")
    shutil.copytree(ROOT / "results", folder / "results", ignore=left)
    for path in (folder / "results" / MACHINE).glob("*.provenance.jsonl"):
        text = path.read_text()
        for old, new in {
            '"link width": 16': '"link width": 8',
            '"throttle reasons": ["none"]': '"throttle reasons": ["hw thermal slowdown"]',
        }.items():
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)
    yield from opened(chromium, folder, folder / "results")


def opened(chromium, folder, results):
    report_page.write(folder / "report.html", results)
    with chromium.new_context(offline=True) as context:
        page = context.new_page()
        page.goto((folder / "report.html").as_uri() + f"?machine={MACHINE}")
        yield page


def asked(page, **fields):
    """What the form about one array replies."""
    first = {"size": "2 MB", "memory": "pageable", "direction": "there", "into": "existing"}
    for name, value in (first | fields).items():
        field = page.locator(f"#ask [name={name}]")
        if name == "size":
            field.fill(value)
        else:
            field.select_option(value)
    return page.inner_text("#reply")


def test_a_doubtful_result_is_marked_wherever_it_is_read(doubtful):
    why = "doubtful: The link ran as Gen5 x8 under load; it can do PCIe Gen5 x16 (and 1 more)"
    headline = doubtful.inner_text("#answer")
    assert "The link ran as Gen5 x8 under load" in headline
    assert "The GPU was throttled while it transferred: hw thermal slowdown." in headline
    for place in "figure", "details.whole:has(table):visible", "#choose":
        marked = doubtful.locator(place)
        assert marked.count()
        assert all(why in text for text in marked.all_inner_texts()), place
    assert why in doubtful.inner_text("#how tr:has-text('480cd8d3')")


def test_a_doubt_is_said_once_above_the_answers_and_hides_no_column(doubtful):
    assert not doubtful.locator("#answer .of .doubt:visible").count()
    assert doubtful.locator("#answer .doubts:visible").count() == 1
    row = doubtful.locator("#how tr:has-text('480cd8d3')")
    edge = doubtful.locator("#how .wide:has-text('480cd8d3')").first.bounding_box()
    last = row.locator("td").last.bounding_box()
    assert last["x"] + last["width"] <= edge["x"] + edge["width"]


def test_a_sound_result_is_not(shown):
    marked = [line for line in shown.inner_text("main").splitlines() if "doubtful" in line]
    assert all(line.startswith("nvidia-h200") for line in marked)  # another one, where all are


@pytest.mark.parametrize("size", ["2 MB", "2000000", "2000 kB", "0.002 GB", "2MB"])
def test_any_size_is_taken(shown, size):
    said = asked(shown, size=size, memory="pageable", direction="there", into="existing")
    assert "Interpolated between 512 KiB and 4 MiB" in said
    assert re.search(r"cuda-python about 1\d\d µs, 1\d(\.\d)? GB/s", said)


@pytest.mark.parametrize("size", ["", "0", "two MB", "-1 MB", "2 MW", "NaN", "<b>1</b>", "1e9"])
def test_what_is_no_size_is_said(shown, size):
    said = asked(shown, size=size)
    assert said == f"“{size}” is no size. Write 2 MB, 512 KiB, 1.5 GiB or a number of bytes."
    assert shown.get_attribute("#ask [name=size]", "aria-invalid") == "true"


@pytest.mark.parametrize("size", ["1", "1000", "1 GiB"])
def test_beyond_what_was_measured_it_cannot_say(shown, size):
    assert asked(shown, size=size, memory="pinned").startswith("Cannot say: 1 KiB to 256 MiB was")


QUESTIONS = {  # where the answer is, what is asked of the form or opened there, and the words
    "which library for my 2 MB pageable array": (
        "#reply",
        {"size": "2 MB", "memory": "pageable", "direction": "there", "into": "existing"},
        r"cuda-python is the fastest\.\s+cuda-python about 169 µs, 11\.8 GB/s\. The others take at "
        r"these two sizes: \S+ \S+ to \S+ % longer, ",
    ),
    "it is ordinary and has 32 MiB: what to do, what is gained": (
        "#reply",
        {"size": "32 MiB", "memory": "ordinary"},
        r"pin-memory .* is the fastest\.\s+pin-memory 1\.3 ms, .*: direct 83 % longer, .*"
        r"53\.1 GB/s; locking and releasing it has paid after 1 transfer, against direct\.\s+"
        r"Measured at this size, with the array in the CPU's caches as far as it fits\.",
    ),
    "and into a new array": (
        "#reply",
        {"memory": "ordinary", "into": "new"},
        r"^Cannot say: .* How to send an ordinary array was: to the GPU, into an existing one\.$",
    ),
    "I have 256 small ones": (
        "#ways",
        {},
        r"256 small arrays, packed into one pinned buffer: at 256 B each 28 to 57 times",
    ),
    "how sure is this": (
        "#reply",
        {"size": "4 MiB"},
        r"Measured at this size\. Differences of 2\.2 % and more are told apart",
    ),
    "how do I get it back": (
        "#reply",
        {"size": "32 MiB", "direction": "back", "into": "existing"},
        r"cuda-python is the fastest|are tied: none is told to be faster",
    ),
    "and at what price": (
        "#ways",
        {},
        r"Back into a new NumPy array .* it takes \S+( to \S+)? times as long",
    ),
    "is pinning worth it for an array I have": (
        "#ways",
        {},
        r"has paid after so many transfers: \d+ at 64 KiB",
    ),
    "is my link as it should be": (
        "#answer",
        {},
        r"The link is as it should be: 55\.1 of the 63\.0 GB/s that Gen5 x16 can carry, 87 %",
    ),
    "what does 1 KiB cost": ("#answer", {}, r"1 KiB takes\D+8\.37 to 13\.5 µs from pinned memory"),
    "H200 or H100": (
        "#gpus",
        {},
        r"against nvidia-h200 .*: 256 MiB pinned with cuda-python 54\.8 and 55\.2 GB/s \(cannot be",
    ),
    "did the last driver make it slower": (
        "#since",
        {},
        rf"{MACHINE}: a history needs results of two commits",
    ),
    "does the dtype matter": ("#types", {}, "No: the time depends on the bytes, not on the dtype"),
    "where does this number come from": (
        "#how",
        {"open": f"{MACHINE}: noise and provenance"},
        r"driver\s+580\.159\.04",
    ),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_page_answers(shown, question):
    place, asking, words = QUESTIONS[question]
    if summary := asking.get("open"):
        shown.locator(f"{place} details:has-text('{summary}') summary").click()
    else:
        asked(shown, **asking)
    assert re.search(words, shown.inner_text(place))


def test_on_a_phone_no_number_lies_on_another(chromium, tmp_path):
    """At the end of the axis of ordinary arrays there are three at a size."""
    for page in opened(chromium, tmp_path, ROOT / "results"):
        page.set_viewport_size({"width": 375, "height": 812})
        page.wait_for_function("document.querySelector('#ordinary svg').clientWidth < 375")
        numbers = page.locator("#ordinary svg text").filter(has_text=re.compile(r"^1/\d+(\.\d)?$"))
        boxes = [one.bounding_box() for one in numbers.all()]
        assert len(boxes) > 6
        for one, other in itertools.combinations(boxes, 2):
            across, down = (
                min(one[at] + one[long], other[at] + other[long]) - max(one[at], other[at])
                for at, long in (("x", "width"), ("y", "height"))
            )
            assert min(across, down) < 1


def test_the_recorded_history_shows_the_step_of_cupy_at_once(shown):
    """The chart opens at the series that steps most, and stands with its versions."""
    page = shown.context.new_page()
    page.goto(shown.url.partition("?")[0] + "?machine=nvidia-h200")
    page.wait_for_selector("#since svg.marks")
    drawn = page.locator("#since svg.marks").text_content()
    assert "8cbcc603" in drawn
    assert "cupy 13.0.0" in drawn
    assert "\N{MINUS SIGN}89.6 %" in drawn
    said = " ".join(page.text_content("#since").split())  # the older one is folded
    assert "cupy, pinned: 14.0 % less time beside the other methods" in said
    assert "Every driver recorded here is 580.159.04" in said
    page.close()


def test_the_answer_comes_first(shown):
    answer, chart = (shown.locator(one).first.bounding_box()["y"] for one in ("#answer", "figure"))
    assert answer < chart


def test_ties_are_never_called_the_fastest(shown):
    said = asked(shown, size="256 MiB", memory="pageable", direction="there", into="existing")
    assert "are tied: none is told to be faster than another" in said
    assert "fastest" not in said
    for row in shown.locator("table.choosing:visible tbody tr").all_inner_texts():
        assert row.count("fastest") + row.count("tied") != 1 or "tied" not in row
