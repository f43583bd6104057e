"""The turns of a visit's processes: real ones, each of which measures as a benchmark's does.

tests/benchmarks/test_partner.py has what the processes do.
"""

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import Future
from itertools import pairwise
from types import SimpleNamespace

import pytest

from benchmarks.clock import SAMPLES
from benchmarks.in_turn import TURNS
from scripts.gate import measuring, turns
from scripts.gate.sides import Point
from tests.conftest import ROOT

PROCESS = """
import itertools, json, os, socket
from benchmarks import in_turn, quiet_core, visit
from benchmarks.clock import SAMPLES
from benchmarks.series import Series

calls = itertools.count()
def sample(count=0):
    return float(next(calls))

makers = {{"a": lambda: Series(sample, count=0)}}
{code}
taken = visit.samples(1.0, "a", makers, SAMPLES)
print(json.dumps([*itertools.islice(taken, SAMPLES)]))
"""
SLOWS_DOWN = """
def sample(count=0):
    with open("log", "a+") as file:
        file.seek(0)
        counted = len(file.read())
        if count == 0:
            file.write(".")
    # Half of the turns have 2 * TURNS samples, of two series and two processes: then in mid-turn.
    return 1.0 if counted < 2 * in_turn.TURNS + 1 else 2.0

makers = {name: lambda: Series(sample, count=0) for name in "ab"}
"""
MAY_NOT_CHOOSE = """
quiet_core.move = in_turn.move = lambda cores: False
def sample(count=0):
    return 1.0
"""
SAYS_THAT_IT_CONNECTED = """
class Socket(socket.socket):
    def connect(self, path):
        super().connect(path)
        print("connected", flush=True)

socket.socket = Socket
def sample(count=0):
    return -1.0
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


def alone(samples):
    """Whether they were taken one after the other, with none for a turn between them."""
    return [later - sooner for sooner, later in pairwise(samples)] == (SAMPLES - 1) * [1.0]


def test_a_machine_that_becomes_slow_in_mid_visit_changes_nothing():
    """Though it does in mid-turn, so that the medians of the two processes differ."""

    class Processes:
        started = 0

        def visit(self, point):
            _, taken = in_turn([side("a", SLOWS_DOWN), side("b", SLOWS_DOWN)])
            measured = {"sentinel": 6e-5, "series": {name: {"seconds": [1.0]} for name in "ab"}}
            return [measured, measured], taken

    lines = []
    kept = SimpleNamespace(visits=[], add=lambda *added: lines.extend(added))
    point = Point("a.time_new_array", "2", 0, {name: {"method": name} for name in "ab"})
    measuring.visit(kept, point, Processes(), 0)
    assert [line["parameters"]["method"] for line in lines] == ["a", "b"]
    assert [line["change"] for line in lines] == [0, 0]
    assert sorted(sorted(line["seconds"]) for line in lines) == [[1.0, 1.5], [1.5, 1.5]]


@pytest.mark.parametrize("codes", [["", MAY_NOT_CHOOSE], [MAY_NOT_CHOOSE, MAY_NOT_CHOOSE]])
def test_processes_that_may_not_choose_their_core_take_turns_all_the_same(codes):
    ended, taken = in_turn(list(map(side, "ab", codes)))
    assert len(taken) == TURNS
    assert [turn[1] for turn in taken] == TURNS * [{"a": 1.0}]
    assert ended[1] == SAMPLES * [1.0]


def test_a_side_that_cannot_be_called_leaves_the_other_alone():
    ended = []
    path, call = side("a")
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
    assert len(taken) == TURNS
    assert all(one["a"] > 0 for turn in taken for one in turn)
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
