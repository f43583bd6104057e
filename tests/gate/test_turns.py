"""The turns of a visit's processes: real ones, each of which measures as a benchmark's does."""

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.clock import SAMPLES
from benchmarks.in_turn import TURNS
from scripts.gate import measuring, turns
from tests.conftest import ROOT

PROCESS = """
import itertools, json, os, signal, socket
from benchmarks import in_turn, visit
from benchmarks.clock import SAMPLES
from benchmarks.series import Series

path = os.environ["TAKE_TURNS"]

def told(*words):
    with open("log", "a") as file:
        file.write(json.dumps(words) + "\\n")

def sample(count=0):
    told(path, count, *os.sched_getaffinity(0))
    return 1.0

level = 1.0
{code}
taken = visit.samples(level, "a", {{"a": lambda: Series(sample, count=0)}}, SAMPLES)
print(json.dumps([*itertools.islice(taken, SAMPLES)]))
"""
COUNTS = """
calls = itertools.count()
def sample(count=0):
    return float(next(calls))
"""
DIES_IN_TURN_5 = """
calls = itertools.count()
def sample(count=0):
    if next(calls) == 9:  # before the turns is one, in each turn are two
        os.kill(os.getpid(), signal.SIGKILL)
    return 1.0
"""
SLOWS_DOWN = """
def sample(count=0):
    told(count)
    counted = open("log").read().count("[0]")
    return 1.0 if counted - 2 <= in_turn.TURNS + 1 else 2.0  # each took one before the turns
"""
SAYS_THAT_IT_CONNECTED = """
class Socket(socket.socket):
    def connect(self, path):
        super().connect(path)
        print("connected", flush=True)

socket.socket = Socket
def sample(count=0):
    return 9.0
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The sockets are in the current folder, as their paths must be short."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def started(path, code):
    words = sys.executable, "-c", PROCESS.format(code=code)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(words, env={**os.environ, "TAKE_TURNS": path}, **pipes)


def side(path, code=""):
    """A side for in_turn; its function returns what the process measured, or how it ended."""

    def call():
        with started(path, code) as process:
            try:
                said = process.communicate(timeout=10)[0]
            finally:
                process.kill()
        return process.returncode or json.loads(said.splitlines()[-1])

    return path, call


def in_turn(sides):
    """As turns.in_turn, but an error if it hangs."""
    done = Future()

    def call():
        try:
            done.set_result(turns.in_turn(sides))
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=call, daemon=True).start()
    return done.result(timeout=20)


def logged():
    return [json.loads(line) for line in Path("log").read_text().splitlines()]


def test_samples_are_taken_strictly_in_turn_on_one_core():
    ended, taken = in_turn([side("a"), side("b")])
    assert ended == 2 * [SAMPLES * [1.0]]
    assert taken == TURNS * [({"a": 1.0}, {"a": 1.0})]
    log = logged()[2:]  # each took one before the turns
    first, second = log[0][0], log[2][0]
    assert {first, second} == {"a", "b"}
    order = [first, second, second, first] * (TURNS // 2)  # who is first alternates
    assert [path for path, *_ in log[::2]] == [path for path, *_ in log[1::2]] == order
    assert [count for _, count, *_ in log] == 2 * TURNS * [2, 0]
    assert len({tuple(cores) for _, _, *cores in log}) == 1
    assert len(log[0]) == 3


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_they_leave_a_core_that_is_not_quiet_together():
    ended, taken = in_turn([side("a", "level = 1e-12"), side("b", "level = 1e-12")])
    assert ended == 2 * [SAMPLES * [1.0]]
    assert len(taken) == TURNS
    cores = [core for _, count, *core in logged() if count == 2]
    in_turns = list(zip(cores[::2], cores[1::2], strict=True))
    assert all(one == other for one, other in in_turns)
    assert len({tuple(one) for one, _ in in_turns}) > 1


def test_a_machine_that_becomes_slow_in_mid_visit_changes_nothing():
    """Though it does in mid-turn, so that the medians of the two processes differ."""

    class Kept:
        def add(self, **line):
            self.line = line

    class Point:
        benchmark, parameters = "a.time_new_array", {"nbytes": 8}

    class Processes:
        started = 0

        def visit(self, point):
            ended, taken = in_turn([side("a", SLOWS_DOWN), side("b", SLOWS_DOWN)])
            return [{"sentinel": 6e-5} for _ in ended], taken

    kept = Kept()
    measuring.visit(kept, Point, Processes(), 0)
    assert sorted(kept.line["seconds"]) == [1.0, 1.5]
    assert kept.line["change"] == 0


def alone(samples):
    """Whether COUNTS took them one after the other, with none for a turn between them."""
    return [later - sooner for sooner, later in pairwise(samples)] == (SAMPLES - 1) * [1.0]


@pytest.mark.parametrize("place", [0, 1])
def test_one_that_dies_before_its_samples_leaves_the_other_alone(place):
    codes = [COUNTS, COUNTS]
    codes[place] = "os._exit(3)"
    ended, taken = in_turn(list(map(side, "ab", codes)))
    assert taken == []
    assert ended[place] == 3
    assert alone(ended[1 - place])


@pytest.mark.parametrize("place", [0, 1])
def test_one_that_dies_in_mid_turns_leaves_the_other_alone(place):
    codes = [COUNTS, COUNTS]
    codes[place] = DIES_IN_TURN_5
    ended, taken = in_turn(list(map(side, "ab", codes)))
    assert [turn[place] for turn in taken] == 4 * [{"a": 1.0}]
    assert ended[place] == -9
    assert alone(ended[1 - place])


def test_a_side_that_cannot_be_called_leaves_the_other_alone():
    ended = []
    path, call = side("a", COUNTS)
    sides = [(path, lambda: ended.append(call())), ("b", lambda: 1 / 0)]
    with pytest.raises(ZeroDivisionError):
        in_turn(sides)
    assert alone(ended[0])


def test_a_process_left_over_is_not_in_the_next_visit():
    left, connected = [], threading.Event()

    def leave():
        left.append(started("b", SAYS_THAT_IT_CONNECTED))
        assert left[0].stdout.readline() == "connected\n"
        connected.set()

    ended, taken = in_turn([("a", lambda: connected.wait(10)), ("b", leave)])
    assert (ended, taken) == ([True, None], [])
    ended, taken = in_turn([side("a"), side("b")])
    assert ended == 2 * [SAMPLES * [1.0]]
    assert taken == TURNS * [({"a": 1.0}, {"a": 1.0})]
    with left[0] as process:
        assert process.wait(timeout=10) == 1


@pytest.mark.parametrize("there", [0, 1])
def test_an_interrupt_leaves_no_process_waiting(monkeypatch, there):
    """Whether none of the connections has been accepted yet, or the first of them."""
    ended, connected = [], threading.Event()
    answers = iter(there * [turns.answered])

    def interrupted(listener, call):
        for answered in answers:
            return answered(listener, call)
        connected.wait(10)
        raise KeyboardInterrupt

    def call():
        with started("b", SAYS_THAT_IT_CONNECTED) as process:
            process.stdout.readline()
            connected.set()
            try:
                ended.append(process.communicate(timeout=4))
            finally:
                process.kill()

    path, other = side("a")
    monkeypatch.setattr(turns, "answered", interrupted)
    with pytest.raises(KeyboardInterrupt):
        in_turn([(path, lambda: ended.append(other())), ("b", call)])
    assert len(ended) == 2
