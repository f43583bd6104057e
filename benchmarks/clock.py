"""The clock that asv reads, and what else asv asks every benchmark of this suite.

asv takes `repeat` samples in a process by reading `timer` before and after each call of the
benchmark. Here the timer is a Clock that moves only by what a counted sample measured, so asv
records exactly those; how they are taken is said in visit.py.
"""

from collections.abc import Iterator

SAMPLES = 25  # of each series, a process
HUGE, FEW_SAMPLES = 256 << 20, 15  # bytes of a transfer from which on so many do


class Clock:
    """Counts the seconds of counted samples, and nothing else."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def tick(self, samples: Iterator[float]) -> None:
        """Advance by the next of `samples`, in seconds."""
        self.now += next(samples)


# asv reads these from every module that imports them; a benchmark's setup may set its own `repeat`.
timer = Clock()
number = 1
repeat = SAMPLES
warmup_time = 0
rounds = 2  # replicates: two processes a point
timeout = 120


def samples_of(nbytes: int) -> int:
    """How many samples a process takes of a transfer of `nbytes`: fewer of huge ones.

    What varies between processes is more than what varies between many samples of one.
    """
    return FEW_SAMPLES if nbytes >= HUGE else SAMPLES
