"""What a reader asks of the page made of results/: where the answer is, in which words, how sure.

The page of altered provenance says everywhere that its numbers are doubtful.
"""

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
    shutil.copytree(ROOT / "results", folder / "results")
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
    for name, value in fields.items():
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


def test_a_sound_result_is_not(shown):
    assert "doubtful" not in shown.inner_text("main")


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
