"""The vocabulary, the numbers as text, and that each is defined once."""

import ast
import json
import math
import re

import pandas
import pytest

from scripts.words import formats, vocabulary
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("nbytes", "text"),
    [
        (512, "512 B"),
        (1024, "1 KiB"),
        (4 << 20, "4 MiB"),
        (1 << 30, "1 GiB"),
        (5 << 40, "5120 GiB"),
    ],
)
def test_sizes_are_binary(nbytes, text):
    assert formats.size(nbytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.5, "2.5 s"), (0.0123, "12.3 ms"), (0.001, "1 ms"), (9.81e-6, "9.81 µs"), (5e-7, "0.5 µs")],
)
def test_durations_have_the_unit_that_suits_them(seconds, text):
    assert formats.duration(seconds) == text


def test_per_cent_and_lists_read_well():
    assert formats.percents(2.9, 22.8) == "2.9 to 23 %"
    assert formats.percents(14.6, 15.4) == "15 %"
    assert formats.percent(541.2) == "541 %"
    assert formats.percent(float("nan")) == "n/a"
    assert [formats.change(one) for one in (0.0953, -0.01)] == ["+10 %", "-1.0 %"]
    told = [formats.as_long(math.log(one)) for one in (0.1, 1.99, 2, 6.41, 123)]
    assert told == ["-90 %", "+99 %", *(f"{n} times as long" for n in ("2.0", "6.4", "123"))]
    assert formats.day(pandas.Timestamp("2026-11-26 23:59")) == "2026-11-26"
    assert formats.day(pandas.NaT) == "on a day that is not recorded"
    assert formats.listed(["a"]) == "a"
    assert formats.listed(["a", "b", "c"]) == "a, b and c"
    assert formats.some("abc", 2) == "a, b and 1 more"


@pytest.mark.parametrize("nbytes", [1, vocabulary.LARGE - 1, vocabulary.LARGE, 1 << 30])
@pytest.mark.parametrize("memory", vocabulary.MEMORY)
def test_kinds_say_where_they_end(memory, nbytes):
    assert vocabulary.KINDS == ("pinned, 4 MiB and more", "pinned, below", "pageable")
    at = 2 if memory == "pageable" else int(nbytes < 4 << 20)
    assert vocabulary.kind(memory, nbytes) == vocabulary.KINDS[at]


def test_no_two_benchmarks_share_an_operation():
    known = [*json.loads((ROOT / "results" / "benchmarks.json").read_text())]
    known.remove("version")
    unknown = ["x.Y.time_existing_array", "x.Y.time_copy", "x.Z.time_copy"]
    names = [vocabulary.operation(name) for name in [*known, *unknown]]
    assert len(set(names)) == len(names)
    assert "Y.existing_array" in names
    assert set(vocabulary.NAMES) == set(known)


def test_a_series_is_whole_without_a_parameter():
    link = vocabulary.series("reference.Link.time_link", {"nbytes": 1024})
    assert link == ("reference.Link.time_link", "link", "pinned", "", 1024)
    back = vocabulary.series("reference.Link.time_link_back", {"nbytes": 1024})
    assert back == ("reference.Link.time_link_back", "link_back", "pinned", "", 1024)
    name = vocabulary.OTHERS["ordinary_warm"]
    way = vocabulary.series(name, {"way": "staged", "nbytes": 65536})
    assert way == (name, "staged", "pageable", "", 65536)
    copy = vocabulary.series("reference.HostCopy.time_copy", {"dtype": "uint8", "nbytes": 8})
    assert copy == ("reference.HostCopy.time_copy", "copy", "pageable", "uint8", 8)


def test_what_is_measured_in_turn_has_the_parameter_that_tells_its_series_apart():
    known = json.loads((ROOT / "results" / "benchmarks.json").read_text())
    assert len(vocabulary.IN_TURN) == 7
    for name, parameter in vocabulary.IN_TURN.items():
        assert known[name]["param_names"][0] == parameter


def test_the_edges_and_the_formats_are_nowhere_else():
    """A second definition is how one place is missed when the first one changes."""
    edges = re.compile(r"\b(?:4|32) << 20|4194304|33554432")
    for path in (ROOT / "scripts").rglob("*.py"):
        text = path.read_text()
        if path.name != "vocabulary.py":
            assert not edges.search(text), path
        functions = (one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.FunctionDef))
        names = [function.name for function in functions]
        if path.parent.name != "words":
            assert not {"duration", "percent", "in_words", "seconds", "number"} & {*names}, path
