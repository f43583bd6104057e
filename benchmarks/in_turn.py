"""Rounds: one sample of each series of a visit, one after the other, on a core that is quiet.

A process takes them by itself or, in the gate, in turn with a process of another stack: both are
alive and share a core, so that what drifts on the machine reaches both alike. The same code takes
them; only who says on which core the next one is to be differs (`alone`, `with_partner`).
"""

import contextlib
import json
import os
import random
import socket
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from time import perf_counter

from .clock import SAMPLES
from .group import Group
from .quiet_core import QUIET, move, move_to_quiet, sentinel

LIMIT_SECONDS = 0.6  # a process's search for quiet rounds
PARTNER = "TAKE_TURNS"  # the variable that names the partner's socket
TURNS = 30  # rounds in turn with a partner; even, as each process goes first in half of them
WAKE = 2  # uncounted transfers of a round's first series: the device was another process's


@dataclass(frozen=True)
class Round:
    seconds: dict[str, float]  # of one transfer, by series
    sentinels: list[float]  # seconds of those before, between and after the samples
    noise: float  # of the slowest sentinel, where 1 is that of the quiet level
    core: int | None = None  # None: this process may not choose one

    @property
    def quiet(self) -> bool:
        return self.noise <= QUIET


def take_round(group: Group, order: list[str], level: float, wake: int = 0) -> Round:
    """One sample of each series of `group`, in this order, here.

    Each is flanked by sentinels, whose quiet level is `level` seconds. Before the first one there
    are `wake` uncounted transfers.
    """
    if wake and (first := group.series.get(order[0])):
        with group.own_trouble(order[0]):
            first.take(wake)
    sentinels, seconds = [sentinel()], {}
    for name in order:
        if name in group.series:
            with group.own_trouble(name):
                seconds[name] = group.series[name].sample()
            sentinels.append(sentinel())
    return Round(seconds, sentinels, max(sentinels) / level)


def alone(taken: list[Round], wanted: int) -> Iterator[int | None]:
    """The core of each next round, None for a quiet one, until `wanted` rounds are quiet.

    That is the last one's core while it is quiet. It ends after LIMIT_SECONDS, too, but not before
    there are `wanted` rounds: what could not be measured quietly is then kept.
    """
    deadline = perf_counter() + LIMIT_SECONDS
    while sum(one.quiet for one in taken) < wanted:
        if len(taken) >= wanted and perf_counter() > deadline:
            return
        yield taken[-1].core if taken and taken[-1].quiet else None


def with_partner(path: str, taken: list[Round], wanted: int) -> Generator[int | None, None, None]:
    """The core of each next round, as the socket at `path` says (scripts/gate/turns.py).

    A line with the core, or null for a quiet one, is answered, when the round is in `taken`, with
    the round's core, whether it was quiet, and the seconds by series. It ends after TURNS rounds,
    or `wanted` where a process takes few, or when the other process has ended.
    """
    turns = TURNS if wanted >= SAMPLES else wanted + wanted % 2
    with socket.socket(socket.AF_UNIX) as partner:
        partner.connect(path)
        lines = partner.makefile()
        while len(taken) < turns and (line := lines.readline()):
            yield json.loads(line)
            answer = taken[-1].core, taken[-1].quiet, taken[-1].seconds
            partner.sendall(f"{json.dumps(answer)}\n".encode())


def quietest(taken: list[Round], wanted: int) -> list[Round]:
    """The `wanted` quietest rounds: the quiet ones first, in the order of their taking.

    They are chosen by the sentinel alone, never by what they measured.
    """
    return sorted(taken, key=lambda one: max(one.noise, QUIET))[:wanted]


def take(
    group: Group, asked: Iterator[int | None], level: float, order: list[str], wake: int = 0
) -> Iterator[Round]:
    """Rounds of `group`, each on the core that is `asked` for, in an order that is turned round."""
    cores = sorted(os.sched_getaffinity(0))
    for core in asked:
        if not group.series:
            return
        if core not in cores or not move({core}):
            core = move_to_quiet(level, cores)
        yield replace(take_round(group, order, level, wake), core=core)
        order = order[::-1]


def rounds_of(group: Group, level: float, wanted: int) -> list[Round]:
    """`wanted` rounds of the series of `group`, the quiet ones first; [] if no series is left."""
    allowed = os.sched_getaffinity(0)
    order = list(group.series)
    taken: list[Round] = []
    try:
        if path := os.environ.pop(PARTNER, None):
            with contextlib.closing(with_partner(path, taken, wanted)) as asked:
                for one in take(group, asked, level, order, WAKE):
                    taken.append(one)
            move(allowed)
        if len(taken) < wanted:  # there is no partner, or it has ended too soon
            taken.clear()
            random.shuffle(order)
            for one in take(group, alone(taken, wanted), level, order):
                taken.append(one)
    finally:
        move(allowed)
    return quietest(taken, wanted)
