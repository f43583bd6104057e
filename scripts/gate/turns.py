"""The processes of a visit are alive at once and take their rounds in turn, on one core.

So what drifts on the machine, the cores' clock above all, is in both sides' samples alike, however
short its phases. What a process does with its turn: benchmarks/in_turn.py, with_partner.
"""

import contextlib
import itertools
import json
import random
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.05

Turn = tuple[dict[str, float], ...]  # the seconds of each side's round, by series


def in_turn(calls: Sequence[tuple[str, Callable[[], Any]]]) -> tuple[list[Any], list[Turn]]:
    """Call all of `calls` at once, and let the processes that they run take turns.

    `calls` is one (path, function) a side; the function runs a process that connects to the Unix
    socket at `path`. Returns what the functions returned, and the turns: a round of each side's.
    There are none if one of the processes never came to its rounds.
    """
    with contextlib.ExitStack() as waits:
        pool = waits.enter_context(ThreadPoolExecutor(len(calls)))  # left last, when all hung up
        listeners = [waits.enter_context(listening(path)) for path, _ in calls]
        running = [pool.submit(call) for _, call in calls]
        with contextlib.ExitStack() as partners:
            there = []
            for side in zip(listeners, running, strict=True):
                if connection := answered(*side):
                    there.append(partners.enter_context(hung_up(connection)))
            turns = list(conducted(there)) if len(there) == len(calls) else []
        return [call.result() for call in running], turns


@contextlib.contextmanager
def listening(path: str) -> Iterator[socket.socket]:
    """A socket at `path`; a new one each time, in which no process of before is left."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        try:
            listener.listen()
            listener.settimeout(POLL_SECONDS)
            yield listener
        finally:
            Path(path).unlink()


def answered(listener: socket.socket, call: Future[Any]) -> socket.socket | None:
    """The connection of the process that `call` runs; None if it ended without one."""
    while not call.done():
        with contextlib.suppress(TimeoutError):
            connection, _ = listener.accept()
            connection.settimeout(None)
            return connection
    return None


@contextlib.contextmanager
def hung_up(connection: socket.socket) -> Iterator[socket.socket]:
    """The connection, hung up afterwards, whoever still reads from it: its process then ends."""
    with connection:
        try:
            yield connection
        finally:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def conducted(partners: Sequence[socket.socket]) -> Iterator[Turn]:
    """Iterates over turns, until one of the processes has no more rounds to take.

    Both take theirs on the core of the last one, while that is quiet and they may choose one: they
    are told it, or null to look for one.
    """
    answers = [partner.makefile() for partner in partners]
    core, order = None, random.sample(range(len(partners)), len(partners))
    for places in itertools.cycle((order, order[::-1])):
        seconds: dict[int, dict[str, float]] = {}
        quiet = True
        for place in places:
            try:
                partners[place].sendall(f"{json.dumps(core)}\n".encode())
                core, was_quiet, seconds[place] = json.loads(answers[place].readline())
            except (OSError, ValueError):  # it hung up
                return
            quiet &= was_quiet
        yield tuple(seconds[place] for place in range(len(partners)))
        core = core if quiet else None
