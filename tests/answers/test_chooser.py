"""What the form about one array answers from, of made-up and of recorded results."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.answers import chooser
from scripts.reading import points
from tests.answers import made_up

MIB = 1 << 20


def asked(found, **wanted):
    (case,) = (case for case in found if wanted.items() <= case.items())
    return {size["nbytes"]: size for size in case["sizes"]}


@settings(max_examples=25)
@given(
    st.dictionaries(st.sampled_from(made_up.METHODS), st.floats(0, 0.2), min_size=1),
    st.one_of(st.floats(0.001, 0.05), st.just(math.nan)),
)
def test_one_is_the_fastest_only_if_it_is_told_from_all_others(logs, sd):
    seconds = {4 * MIB: {name: 1e-4 * math.exp(log) for name, log in logs.items()}}
    run = made_up.rows("new_host_array", seconds, sd=sd, memory="pageable")
    one = asked(chooser.cases(run), direction="back")[4 * MIB]
    json.dumps(one, allow_nan=False)
    assert set(one["best"]) | set(one["others"]) == set(logs)
    assert min(logs, key=logs.get) in one["best"]
    if math.isnan(sd):
        assert (one["margin"], one["fastest"], one["others"]) == (None, None, {})
    elif one["fastest"]:
        assert one["best"] == [one["fastest"]]
        assert one["others"]
        assert all(cost >= one["margin"] for cost in one["others"].values())
    else:
        assert len(one["best"]) > 1 or len(logs) == 1


@pytest.fixture(scope="module")
def recorded():
    table, _ = points.load(machines={"nvidia-h100-80gb-hbm3"})
    return table[table["commit"].eq(table["commit"].iloc[-1])]


def test_what_is_recorded_can_be_asked_for(recorded):
    found = chooser.cases(recorded)
    json.dumps(found, allow_nan=False)
    assert {(case["direction"], case["into"], case["memory"]) for case in found} == {
        *(("there", into, memory) for into in ("existing", "new") for memory in chooser.MEMORY),
        *(("back", "existing", memory) for memory in chooser.MEMORY),
        ("back", "new", "pageable"),
        ("there", "existing", "ordinary"),
    }
    pin = recorded[recorded["operation"].eq("pin")].set_index(["method", "nbytes"])["seconds"]
    pinned = asked(found, direction="there", into="new", memory="pinned")[4 * MIB]
    assert pinned["beforehand"]["torch"] == pytest.approx(pin["torch", 4 * MIB], rel=1e-4)


def test_an_ordinary_array_is_not_page_locked_yet(recorded):
    fits = "in the CPU's caches as far as it fits"
    ordinary = asked(chooser.cases(recorded), source=fits)[32 * MIB]
    assert "registered" not in ordinary["seconds"]
    rows = recorded[recorded["operation"].eq("ordinary_warm")].set_index(["way", "nbytes"])
    locked = ordinary["locked"]
    assert locked["seconds"] == pytest.approx(rows["seconds"]["registered", 32 * MIB], rel=1e-4)
    assert locked["uses"] >= 1
    assert set(ordinary["beforehand"]) == {"staged", "pin-memory"}


def test_nothing_measured_is_no_case():
    assert chooser.cases(made_up.rows("link", {1024: {"x": 1e-6}}, method=None)) == []
