"""A visit: the samples of its series line up, and what one cannot do is nobody else's trouble."""

import contextlib
import gc
import json
import math
import os
import signal
from pathlib import Path

import pytest
from asv_runner.benchmarks.mark import SkipNotImplemented

from benchmarks import device, in_turn, quiet_core, visit
from benchmarks.clock import SAMPLES
from benchmarks.methods import Unusable
from benchmarks.series import Series

LEVEL = 1.0  # second: every core is quiet


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(in_turn.PARTNER, raising=False)


def raises(error):
    def maker():
        raise error

    return maker


def always(seconds):
    return lambda: Series(lambda count: seconds)


def taken(asked, makers, capsys, level=LEVEL):
    """The samples of the series `asked`, or what was raised, and the notes."""
    iterator = visit.samples(level, asked, makers, SAMPLES, parameter="method")
    try:
        got = [next(iterator) for _ in range(SAMPLES)]
    except Exception as error:
        got = error
    lines = capsys.readouterr().out.splitlines()
    return got, [json.loads(line.removeprefix("note: ")) for line in lines]


def rows(note):
    """{series: seconds, or what else the note says of it}."""
    return {name: told.get("seconds", told) for name, told in note["series"].items()}


def test_the_samples_of_a_visit_line_up(capsys, monkeypatch):
    """What every series sees of a round is what one round was like."""
    calls = []

    def of_round(factor):
        return lambda: Series(
            lambda count: calls.append(factor) or factor * ((len(calls) - 1) // 3)
        )

    got, (note,) = taken("b", {"a": of_round(1), "b": of_round(10), "c": of_round(100)}, capsys)
    a, b, c = (note["series"][name]["seconds"] for name in "abc")
    assert got == b == [10 * one for one in a]
    assert c == [100 * one for one in a]
    assert a == list(range(SAMPLES))


def test_what_a_visit_notes(capsys, monkeypatch):
    monkeypatch.setattr(in_turn, "sentinel", lambda: 1.1e-4)
    makers = {"a": always(1e-6), "b": always(2e-6)}
    got, (note,) = taken("b", makers, capsys, level=1e-4)
    assert got == SAMPLES * [2e-6]
    assert note.pop("visit") != taken("b", makers, capsys)[1][0]["visit"]
    assert note == {
        "parameter": "method",
        "asked": "b",
        "quiet": SAMPLES,
        "sentinel": pytest.approx(1.1e-4),
        "series": {"a": {"seconds": SAMPLES * [1e-6]}, "b": {"seconds": SAMPLES * [2e-6]}},
    }


@pytest.mark.parametrize("asked", ["bad", "good"])
def test_what_fails_is_the_failure_of_one(asked, capsys):
    makers = {"bad": raises(RuntimeError("an illegal thing")), "good": always(1.0)}
    got, (note,) = taken(asked, makers, capsys)
    assert rows(note)["good"] == SAMPLES * [1.0]
    assert "Traceback" in note["series"]["bad"]["failed"]
    assert "RuntimeError: an illegal thing" in note["series"]["bad"]["failed"]
    assert "skipped" not in note
    if asked == "bad":
        assert isinstance(got, RuntimeError)
    else:
        assert got == SAMPLES * [1.0]


@pytest.mark.parametrize("asked", ["bad", "good"])
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Unusable("x is not installed (no module x)"), "x is not installed (no module x)"),
        (MemoryError("Unable to allocate"), "not enough memory: Unable to allocate"),
        (RuntimeError("CUDA: Out of memory\nat"), "not enough memory: CUDA: Out of memory"),
        (SkipNotImplemented("no device"), "no device"),
    ],
)
def test_what_is_not_available_is_skipped_with_its_reason(asked, error, reason, capsys):
    got, (note,) = taken(asked, {"bad": raises(error), "good": always(1.0)}, capsys)
    assert rows(note) == {"good": SAMPLES * [1.0], "bad": {"skipped": reason}}
    if asked == "bad":
        assert isinstance(got, SkipNotImplemented)
        assert note["skipped"] == str(got) == reason
    else:
        assert got == SAMPLES * [1.0]
        assert "skipped" not in note


def test_where_all_are_skipped_there_is_no_level(capsys):
    got, (note,) = taken("a", {"a": raises(Unusable("no")), "b": raises(Unusable("no"))}, capsys)
    assert str(got) == "no"
    assert not {"quiet", "sentinel"} & set(note)


def test_one_that_fails_in_mid_rounds_is_a_failure_and_the_others_go_on(capsys):
    calls = iter(range(100))

    def maker():
        return Series(lambda count: 1 / (9 - next(calls)))

    got, (note,) = taken("good", {"bad": maker, "good": always(1.0)}, capsys)
    assert got == SAMPLES * [1.0]
    assert "ZeroDivisionError" in note["series"]["bad"]["failed"]


def test_wrong_bytes_are_a_failure(capsys):
    def check():
        raise ValueError("wrong bytes arrived: 1 of 8")

    makers = {"bad": lambda: Series(lambda count: 1.0, check), "good": always(1.0)}
    got, (note,) = taken("bad", makers, capsys)
    assert str(got) == "wrong bytes arrived: 1 of 8"
    assert rows(note)["good"] == SAMPLES * [1.0]


def test_what_failed_keeps_no_memory_that_the_others_need(capsys):
    class Large:
        alive = 0

        def __init__(self):
            Large.alive += 1

        def __del__(self):
            Large.alive -= 1

    def bad():
        large = Large()  # noqa: F841
        raise RuntimeError("out of memory")

    def good():
        assert Large.alive == 0
        return Series(lambda count: 1.0)

    got, _ = taken("good", {"bad": bad, "good": good}, capsys)
    assert got == SAMPLES * [1.0]


def test_a_broken_context_ends_the_process_without_a_note(capsys, monkeypatch):
    monkeypatch.setattr(device, "broken", lambda: True)
    got, notes = taken("good", {"bad": raises(RuntimeError("illegal")), "good": always(1)}, capsys)
    assert str(got) == "illegal"
    assert notes == []


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def in_child(asked, makers):
    """How a process of its own ends that measures; what it writes goes to the file `out`."""
    if (pid := os.fork()) == 0:
        with Path("out").open("w") as out, contextlib.redirect_stdout(out):
            next(visit.samples(LEVEL, asked, makers, SAMPLES))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_process_that_died_is_made_up_for_by_single_ones():
    makers = {"deadly": lambda: Series(lambda count: killed()), "good": always(1.0)}
    assert in_child("good", makers) == -signal.SIGKILL
    assert Path("out").read_text() == ""
    Path(visit.SINGLY).touch()
    assert in_child("good", makers) == 0
    note = json.loads(Path("out").read_text().removeprefix("note: "))
    assert rows(note) == {"good": SAMPLES * [1.0]}
    assert in_child("deadly", makers) == -signal.SIGKILL


def test_more_samples_than_a_visit_has_are_of_further_visits(capsys):
    iterator = visit.samples(LEVEL, "a", {"a": always(1.0)}, 2)
    assert [next(iterator) for _ in range(5)] == 5 * [1.0]
    notes = [json.loads(line[6:]) for line in capsys.readouterr().out.splitlines()]
    assert len({note["visit"] for note in notes}) == 3
    assert all(len(rows(note)["a"]) == 2 for note in notes)


def test_the_garbage_collector_rests_while_rounds_are_taken(capsys):
    seen = set()
    makers = {
        "a": lambda: Series(
            lambda count: seen.add((gc.isenabled(), gc.get_freeze_count() > 0)) or 1.0
        )
    }
    taken("a", makers, capsys)
    assert seen == {(False, True)}
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_a_process_that_may_not_move_says_so(capsys, monkeypatch):
    def refuse(pid, cores):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    got, (note,) = taken("a", {"a": always(1.0)}, capsys)
    quiet_core.refused.clear()
    assert got == SAMPLES * [1.0]
    assert note["stayed"] == "Operation not permitted"
    assert math.isfinite(note["sentinel"])
