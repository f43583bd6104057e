"""Where a process measures: on a quiet core, as the sentinel tells, if it may choose its core."""

import os
import random
from collections.abc import Collection
from time import perf_counter

import numpy

QUIET = 1.12  # a core is quiet while the sentinel takes at most this much of the quiet level

refused: list[str] = []  # why the system let this process choose no core, if it did not


def sentinel() -> float:
    """Seconds of a fixed piece of CPU work, about 0.05 ms: tells whether the core is quiet.

    A busy neighbour on the core's other hardware thread doubles it, as it does the CPU's part
    of a small transfer. The faster of two counts: the first may find the caches cold, as a large
    transfer leaves them.
    """
    taken = []
    for _ in range(2):
        total = 0
        start = perf_counter()
        for i in range(2000):
            total += i
        taken.append(perf_counter() - start)
    return min(taken)


def move(cores: Collection[int]) -> bool:
    """Keep this process on `cores`; False, and noted in `refused`, if the system does not let it.

    Some containers' sandboxes allow no process to choose: it then measures where it is.
    """
    try:
        os.sched_setaffinity(0, cores)
    except OSError as error:
        if not refused:
            refused.append(error.strerror or str(error))
        return False
    return True


def move_to_quiet(level: float, cores: Collection[int]) -> int | None:
    """Go to the first of `cores`, in random order, that is quiet, and else stay on the last.

    `level` is the sentinel's quiet level in seconds. Returns the core; None if it may not choose.
    """
    for core in random.sample(list(cores), len(cores)):
        if not move({core}):
            return None
        if sentinel() <= QUIET * level:
            break
    return core


def quiet_level() -> float:
    """The quiet level: seconds of the sentinel on a quiet core, from all the allowed ones.

    It is what asv calls a setup_cache: called once a run, its result is handed to each setup and
    benchmark. A burst's median is robust against an interrupt; the bursts' low decile is that of
    the quiet cores as long as a few are, and unlike the least of them it is no lucky moment of a
    core running faster.
    """
    allowed = os.sched_getaffinity(0)
    bursts: list[float] = []
    while len(bursts) < 48:
        for core in allowed:
            move({core})
            bursts.append(float(numpy.median([sentinel() for _ in range(10)])))
    move(allowed)
    return float(numpy.quantile(bursts, 0.1))
