"""A series: what a visit takes one sample of in each round, and how long a sample is."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter
from typing import Any

import numpy

SAMPLE_SECONDS = 0.002  # about what a sample's transfers fill, unless one takes longer
UNCOUNTED_SECONDS = 0.001, 0.01  # one transfer is not counted for each of these that it is below
BURST = 5  # transfers that are timed together, to learn how long one takes
WARM_UP_TRANSFERS = 10  # at least: pageable ones drift for so many
WARM_UP_SECONDS = 0.01, 0.1  # at least and, of huge ones, at most: the other series warm up, too


def nothing() -> None:
    pass


@dataclass
class Series:
    """One sample is `count` transfers, with `uncounted` ones before it.

    Those bring the caches, the branch predictors, the driver and the device back from what another
    series has left there. (The next 5 ms after a cudaFree of 256 MiB take 0.35 ms more.)
    """

    take: Callable[[int], float]  # make so many transfers; the mean seconds of one
    check: Callable[[], None] = nothing  # raises if what arrived last is not what was sent
    source: numpy.ndarray | None = None  # what is sent, if it is to change before it is checked
    count: int = 1
    uncounted: int = 0
    place: Callable[[], object] = nothing  # brings `source`, once changed, to where it is sent from
    keep: Any = None  # what is to stay alive meanwhile

    def sample(self) -> float:
        """The mean seconds of one transfer."""
        if self.uncounted:
            self.take(self.uncounted)
        return self.take(self.count)


def timed(transfer: Callable[[], Any], wait: Callable[[], Any], count: int) -> float:
    """Mean seconds of `count` transfers, each from an idle device to an idle device.

    What `transfer` returns is dropped inside: a new array's release is part of its life.
    """
    calls = repeat(None, count)
    start = perf_counter()
    for _ in calls:
        device = transfer()
        wait()
        del device
    return (perf_counter() - start) / count


def steady(take: Callable[[int], float], **rest: Any) -> Series:
    """The series of `take`, which is called until it is steady; `rest` is of Series.

    The fastest of the bursts decides how many transfers fill a sample: one that was disturbed
    would make samples so short that they measure what comes before them.
    """
    least, most = WARM_UP_SECONDS
    fastest, done = take(1), 1  # the first may take long, and is none of the time that follows
    start = perf_counter()
    burst = BURST if BURST * fastest < most else 1
    while (spent := perf_counter() - start) < least or (done < WARM_UP_TRANSFERS and spent < most):
        fastest = min(fastest, take(burst))
        done += burst
    count = max(1, round(SAMPLE_SECONDS / fastest))
    uncounted = sum(fastest < limit for limit in UNCOUNTED_SECONDS)
    return Series(take, count=count, uncounted=uncounted, **rest)
