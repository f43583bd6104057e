"""What is said of an ordinary array, of many small ones and of the way back, of stated truths."""

import math

import pytest

from scripts.answers import chooser, many_and_back, paying, standings, ways
from scripts.reading import points
from tests.answers import made_up

KIB, MIB = 1 << 10, 1 << 20
SIZES = made_up.WAYS_SIZES
ON_16 = [{"facts": {"cpu affinity": "0-15"}}]


def ordinary(operation="ordinary_warm", factors=lambda nbytes: {}, sizes=SIZES, **more):
    """Seconds of each way: those of direct times the factor, if there is one."""
    seconds = {
        nbytes: {way: nbytes / 1e10 * factor for way, factor in factors(nbytes).items()}
        for nbytes in sizes
    }
    return made_up.rows(operation, seconds, **more)


def alike(nbytes):
    """Below 32 MiB nothing is faster than direct; then pin-memory twice and, without, threads."""
    large = nbytes >= 32 * MIB
    return {
        **{"direct": 1.0, "staged-chunks": 1.2, "staged-4-threads": 0.8 if large else 9.0},
        **{"registered": 0.25, "pin-memory": 0.5 if large else 1.0},
    }


def test_which_way_from_which_size_on_and_without_pytorch():
    found = standings.of(ordinary(factors=alike), "ordinary_warm")
    small = "from 64 KiB to 4 MiB nothing is measurably faster than sending it directly"
    (once,) = ways.once(found)
    assert once == (
        f"Ordinary arrays, each sent once: {small}; from 32 MiB to 256 MiB "
        "pin-memory (PyTorch's pin_memory().cuda(), once its pools have the memory) is the fastest "
        "way, 2.0 times as fast as sending it directly."
    )
    (without,) = ways.without_torch(found)
    assert without == (
        f"Without PyTorch: {small}; from 32 MiB to 256 MiB staged-4-threads (several threads copy "
        "a part each) is the fastest way, 1.2 times as fast as sending it directly."
    )


def test_ways_that_tie_are_not_the_fastest():
    tied = {"direct": 1.0, "staged": 0.5, "pin-memory": 0.501}
    (once,) = ways.once(standings.of(ordinary(factors=lambda _: tied), "ordinary_warm"))
    assert "from 64 KiB to 256 MiB staged (copied into a pinned buffer that is kept, and" in once
    assert "once its pools have the memory) cannot be told apart, and are 2" in once
    assert "fastest" not in once
    unknown = ordinary(factors=alike, relative_sd=math.nan)
    (once,) = ways.once(standings.of(unknown, "ordinary_warm"))
    assert "fastest" not in once


def test_after_how_many_transfers_page_locking_has_paid():
    """An array of 10 s/GB saves three quarters of that; to lock it takes 100 µs and 2 s/GB."""
    run = made_up.run(
        ordinary(factors=alike),
        made_up.rows("register", {n: {"x": 1e-4 + 2e-11 * n} for n in SIZES}, method=None),
    )
    found = standings.of(run, "ordinary_warm")
    saved = {nbytes: 0.75 * nbytes / 1e10 for nbytes in SIZES}
    wanted = {nbytes: math.ceil((1e-4 + 2e-11 * nbytes) / saved[nbytes]) for nbytes in SIZES}
    assert paying.uses_to_pay(run, found) == wanted
    (gain,), (pays,) = paying.gained(found), paying.uses(run, found)
    assert gain.endswith("is 4.0 times as fast as sent directly, from 64 KiB to 256 MiB.")
    assert pays.endswith(": 21 at 64 KiB, 3 at 512 KiB and 1 from 4 MiB to 256 MiB.")
    in_vain = standings.of(
        ordinary(factors=lambda _: {"direct": 1.0, "registered": 0.999}), "ordinary_warm"
    )
    assert list(paying.gained(in_vain)) == [
        "Page-locking an array beforehand gains nothing measurable."
    ]
    assert paying.uses_to_pay(run, in_vain) == {}


def test_out_of_the_caches_and_with_threads():
    def cold(nbytes):
        return {"direct": 2.0, "staged-chunks": 2.0, "pin-memory": 1.0}

    run = made_up.run(ordinary(factors=alike), ordinary("ordinary_cold", cold, [4 * MIB]))
    warm = standings.of(run, "ordinary_warm")
    (from_memory,) = ways.from_memory(run, warm)
    assert "of 4 MiB that comes from memory" in from_memory
    assert "direct takes 2.0 times as long" in from_memory
    assert "pin-memory takes" not in from_memory  # alike: nothing is said
    (threads,) = ways.threads(warm, ON_16)
    assert threads == (
        "Staged by several threads, against one (staged-chunks): 4 are from 32 MiB to 256 MiB 1.5 "
        "times as fast, from 64 KiB to 4 MiB slower. Measured on 16 cores."
    )


def test_below_which_size_packing_pays():
    small = {"one-by-one cupy": 4e-6, "one-by-one torch": 8e-6, "queued cupy": 2e-6}
    run = made_up.rows(
        "many_arrays",
        {
            256: {**small, "packed cuda-python": 1e-7},
            4 * KIB: {**small, "packed cuda-python": 1e-6},
            64 * KIB: {**small, "packed cuda-python": 4.01e-6},
        },
    )
    packing, pinned = many_and_back.many(run)
    assert packing == (
        "256 small arrays, packed into one pinned buffer: at 256 B each 40 to 80 times, at 4 KiB "
        "each 4.0 to 8.0 times as fast as one by one."
    )
    assert pinned == (
        "If they lie in pinned memory already: packing them, too, is at 256 B each 20 times, at "
        "4 KiB each 2.0 times as fast as queueing them; queueing them is at 64 KiB each 2.0 times "
        "as fast as packing them."
    )


def test_what_the_way_back_costs():
    back = made_up.transfers("existing_host_array", "pageable", link=1e10)
    pinned = made_up.transfers("existing_host_array", "pinned")
    slow = dict.fromkeys(made_up.METHODS, 3.0) | {"torch": 6.0}
    new = made_up.transfers(
        "new_host_array", "pageable", lambda nbytes: slow if nbytes > 4 * MIB else {}, link=1e10
    )
    into_new, into_pinned = many_and_back.back(made_up.run(back, pinned, new))
    assert into_new == (
        "Back into a new NumPy array from 32 MiB to 256 MiB it takes 3.0 to 6.0 times as long as "
        "into one that is there, by library: the system has to give its pages first."
    )
    assert "256 MiB are back 5.0 times as fast" in into_pinned


def test_a_way_that_was_not_to_be_had_is_said_and_one_not_asked_for_is_not():
    run = ordinary(factors=alike)
    none = run[run["way"].eq("direct")].assign(way="staged-8-threads", status="n/a", seconds=None)
    assert list(ways.not_measured(made_up.run(run, none))) == [
        "Not measured here: staged-8-threads (n/a)."
    ]
    few = none.assign(reason="8 threads want as many cores, this process has 4")
    (said,) = ways.not_measured(made_up.run(run, few))
    assert said == f"Not measured here: staged-8-threads ({few['reason'].iloc[0]})."
    assert ways.of(none, ON_16) == []


@pytest.mark.parametrize("there", [["pin-memory"], ["registered"], ["pin-memory", "registered"]])
def test_ways_without_the_direct_one_are_held_against_nothing(there):
    """CUDA Python, say, is not installed."""
    run = ordinary(factors=lambda nbytes: dict.fromkeys(there, 1.0))
    assert "fastest" not in " ".join(ways.of(run, ON_16))
    assert not chooser.cases(run) or there != ["registered"]


@pytest.mark.parametrize("machine", ["nvidia-h100-80gb-hbm3"])
def test_the_recorded_result(machine):
    table, _ = points.load(machines={machine})
    run = table[table["commit"].eq(table["commit"].iloc[-1])]
    seconds = run[run["operation"].eq("ordinary_warm")].set_index(["way", "nbytes"])["seconds"]
    register = run[run["operation"].eq("register")].set_index("nbytes")["seconds"]
    saved = seconds["direct", 64 * KIB] - seconds["registered", 64 * KIB]
    told = " ".join(ways.of(run, ON_16))
    assert f": {math.ceil(register[64 * KIB] / saved)} at 64 KiB" in told
    assert "256 small arrays, packed" in told
    assert "Back into a new NumPy array" in told


def test_what_a_way_is_is_said_once():
    """Threads, from 32 MiB on four of them and at 256 MiB eight, too."""

    def factors(nbytes):
        four, eight = nbytes >= 32 * MIB, nbytes > 32 * MIB
        return {
            **{"direct": 1.0, "pin-memory": 0.1},
            **{"staged-4-threads": 0.5 if four else 2, "staged-8-threads": 0.5 if eight else 2},
        }

    (without,) = ways.without_torch(standings.of(ordinary(factors=factors), "ordinary_warm"))
    assert without.count("several threads copy a part each") == 1
    assert "at 256 MiB staged-4-threads and staged-8-threads cannot be told apart" in without
