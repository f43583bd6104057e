"""Two processes of two stacks that take whole rounds in turn, as the gate's visits are."""

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from benchmarks.clock import SAMPLES
from benchmarks.in_turn import PARTNER, TURNS, WAKE
from scripts.gate import turns
from tests.conftest import ROOT

PROCESS = """
import json, os, signal, sys
from benchmarks import visit
from benchmarks.series import Series

here, wanted = os.environ["TAKE_TURNS"], int(sys.argv[1])

def told(*words):
    with open("log", "a") as file:
        file.write(json.dumps(words) + "\\n")

def series(name, seconds):
    def take(count):
        told(here, name, count, *os.sched_getaffinity(0))
        return seconds
    return lambda: Series(take, count=7)

makers = {{"a": series("a", 1.0), "b": series("b", 2.0)}}
level = 1.0
{code}
taken = visit.samples(level, "a", makers, wanted)
got = [next(taken) for _ in range(wanted)]
"""
DIES = """
counted = iter(range(100))
def deadly(count):
    if next(counted) == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return 1.0
makers["a"] = lambda: Series(deadly)
"""
FAILS = """
counted = iter(range(100))
makers["b"] = lambda: Series(lambda count: 1 / (8 - next(counted)))
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The sockets are in the current folder, as their paths must be short."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def side(path, code="", wanted=SAMPLES):
    """A side for turns.in_turn; its function returns the process's note, or how it ended."""

    def call():
        words = sys.executable, "-c", PROCESS.format(code=code), str(wanted)
        with subprocess.Popen(
            words, env={**os.environ, PARTNER: path}, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                said = process.communicate(timeout=20)[0]
            finally:
                process.kill()
        return process.returncode or json.loads(said.removeprefix("note: "))

    return path, call


def in_turn(*sides):
    """What turns.in_turn returns, but an error if it hangs."""
    done = Future()

    def call():
        try:
            done.set_result(turns.in_turn(sides))
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=call, daemon=True).start()
    return done.result(timeout=40)


def logged():
    """[path, series, count, core] of each sample in turn."""
    return [json.loads(line) for line in Path("log").read_text().splitlines()]


ROUND = {"a": 1.0, "b": 2.0}


def test_whole_rounds_are_taken_strictly_in_turn_on_one_core():
    notes, taken = in_turn(side("one"), side("two"))
    assert taken == TURNS * [(ROUND, ROUND)]
    for note in notes:
        assert note["series"]["a"]["seconds"] == SAMPLES * [1.0]
        assert note["quiet"] == SAMPLES
    rounds = [logged()[at : at + 3] for at in range(0, 2 * TURNS * 3, 3)]
    first, second = rounds[0][0][0], rounds[1][0][0]
    assert {first, second} == {"one", "two"}
    for number, (wakes, *samples) in enumerate(rounds):
        path = (first, second, second, first)[number % 4]  # who is first alternates
        names = ["a", "b"] if number // 2 % 2 == 0 else ["b", "a"]  # and so does the order
        assert [entry[:3] for entry in samples] == [[path, name, 7] for name in names]
        assert wakes[:3] == [path, names[0], WAKE]
    assert len({tuple(entry[3:]) for one in rounds for entry in one}) == 1
    assert len(rounds[0][0]) == 4


def test_huge_transfers_take_few_rounds_with_a_partner_too():
    _, taken = in_turn(side("one", wanted=10), side("two", wanted=10))
    assert len(taken) == 10


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_they_leave_a_core_that_is_not_quiet_together():
    notes, taken = in_turn(side("one", "level = 1e-12"), side("two", "level = 1e-12"))
    assert len(taken) == TURNS
    assert [note["quiet"] for note in notes] == [0, 0]
    cores = [tuple(entry[3:]) for entry in logged()[::3]]
    assert all(len(core) == 1 for core in cores)
    assert cores[::2] == cores[1::2]
    assert len(set(cores)) > 1


@pytest.mark.parametrize("place", [0, 1])
def test_a_series_that_fails_on_one_side_leaves_all_others(place):
    codes = ["", ""]
    codes[place] = FAILS
    notes, taken = in_turn(*map(side, ("one", "two"), codes))
    assert len(taken) == TURNS
    assert [one[1 - place] for one in taken] == TURNS * [ROUND]
    assert taken[-1][place] == {"a": 1.0}
    assert "ZeroDivisionError" in notes[place]["series"]["b"]["failed"]
    assert notes[place]["series"]["a"]["seconds"] == SAMPLES * [1.0]


@pytest.mark.parametrize("place", [0, 1])
def test_one_that_dies_in_mid_rounds_leaves_the_other_to_go_on_alone(place):
    codes = ["", ""]
    codes[place] = DIES
    notes, taken = in_turn(*map(side, ("one", "two"), codes))
    assert 0 < len(taken) < TURNS
    assert notes[place] == -9
    assert notes[1 - place]["series"]["a"]["seconds"] == SAMPLES * [1.0]
    mine = [entry for entry in logged() if entry[:3] == [("two", "one")[place], "b", 7]]
    # Those in turn, and then a visit's, none of them from the turns.
    assert len(mine) - SAMPLES in (len(taken), len(taken) + 1)


@pytest.mark.parametrize("place", [0, 1])
def test_one_that_dies_before_its_rounds_leaves_the_other_alone(place):
    codes = ["", ""]
    codes[place] = "os._exit(3)"
    notes, taken = in_turn(*map(side, ("one", "two"), codes))
    assert taken == []
    assert notes[place] == 3
    assert notes[1 - place]["series"]["b"]["seconds"] == SAMPLES * [2.0]
