"""How a process measures: the sample, the sentinel, the quiet core, the clock that asv reads.

asv takes `repeat` samples in a process by reading `timer` before and after each call of the
benchmark. Here the timer is a Clock that moves only by what a counted sample measured, so asv
records exactly those; how they are taken is said in `take_samples`, and in `take_turns`.
"""

import json
import os
import random
import socket
from contextlib import contextmanager
from itertools import repeat as times
from time import perf_counter

import numpy
from asv_runner.benchmarks.mark import SkipNotImplemented

from .cores import move
from .methods import Unusable

SAMPLES = 25  # a process
SAMPLE_SECONDS = 0.004  # about what a sample's transfers fill, unless one takes longer
WARM_UP_TRANSFERS, WARM_UP_SECONDS = 10, 0.01  # pageable transfers drift for the first ten
QUIET = 1.12  # a core is quiet while the sentinel takes at most this much of the quiet level
LIMIT_SECONDS = 1.5  # a process's search for quiet samples
TURNS = 40  # samples in turn with another process; even, as each goes first in half of them


class Clock:
    """Counts the seconds of counted samples, and nothing else."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def tick(self, samples):
        """Advance by the next of the iterator `samples`."""
        self.now += next(samples)


# asv reads these from every module that imports them.
timer = Clock()
number = 1
repeat = SAMPLES
warmup_time = 0
rounds = 2  # replicates: two processes a point
timeout = 120


def setup_cache():
    """The quiet level: seconds of the sentinel on a quiet core, from all the allowed ones.

    asv calls it once a run and hands the result to each setup and benchmark. A burst's median is
    robust against an interrupt; the bursts' low decile is that of the quiet cores as long as a
    few are, and unlike the least of them it is no lucky moment of a core running faster.
    """
    allowed = os.sched_getaffinity(0)
    bursts = []
    while len(bursts) < 48:
        for core in allowed:
            move({core})
            bursts.append(numpy.median([sentinel() for _ in range(10)]))
    move(allowed)
    return float(numpy.quantile(bursts, 0.1))


def sentinel():
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


def move_to_quiet_core(quiet, cores):
    """Go to the first of `cores`, in random order, that is quiet; returns the last sentinel."""
    for core in random.sample(cores, len(cores)):
        move({core})
        if (seconds := sentinel()) <= QUIET * quiet:
            break
    return seconds


def timed(transfer, wait, count):
    """Mean seconds of `count` transfers, each from an idle device to an idle device.

    What `transfer` returns is dropped inside: a new array's release is part of its life.
    """
    calls = times(None, count)
    start = perf_counter()
    for _ in calls:
        device = transfer()
        wait()
        del device
    return (perf_counter() - start) / count


def sampler(transfer, wait):
    """Transfer until it is steady; returns a function that takes one sample, in seconds.

    Its argument is of how many transfers, about SAMPLE_SECONDS of them if not said.
    """
    start, done = perf_counter(), 0
    while done < WARM_UP_TRANSFERS or perf_counter() - start < WARM_UP_SECONDS:
        last = timed(transfer, wait, WARM_UP_TRANSFERS)
        done += WARM_UP_TRANSFERS
    count = max(1, round(SAMPLE_SECONDS / last))
    return lambda count=count: timed(transfer, wait, count)


def quietest(taken):
    """The SAMPLES quietest of `taken`, [(noise, seconds), ...], where 1 is the noise of the level.

    Samples are chosen by the sentinel alone, never by what they measured. The quiet ones come
    first, in the order of their taking.
    """
    return sorted(taken, key=lambda sample: max(sample[0], QUIET))[:SAMPLES]


def take_samples(sample, quiet):
    """SAMPLES samples, as (noise, seconds), where `sample()` returns the seconds of one.

    A sample is flanked by two sentinels and is quiet if both lie within QUIET of the level
    `quiet`. After one that is not, the process moves to a quiet core. Once SAMPLES are quiet, or
    LIMIT_SECONDS are over, it ends; what could not be measured quietly is then kept.
    """
    cores = sorted(os.sched_getaffinity(0))
    before = move_to_quiet_core(quiet, cores)
    sample()  # not counted: wakes a device that has idled
    taken, found = [], 0
    deadline = perf_counter() + LIMIT_SECONDS
    while found < SAMPLES and (len(taken) < SAMPLES or perf_counter() < deadline):
        seconds = sample()
        after = sentinel()
        noise = max(before, after) / quiet
        taken.append((noise, seconds))
        found += noise <= QUIET
        before = after if after <= QUIET * quiet else move_to_quiet_core(quiet, cores)
    move(cores)
    return quietest(taken)


def take_turns(sample, quiet):
    """TURNS samples, as (noise, seconds), in turn with a process of another stack; [] if alone.

    Both are alive and share a core, so that what drifts on the machine reaches both alike. Who has
    the next turn is said through the socket named in TAKE_TURNS (scripts/gate/turns.py): a
    line with the core to take it on, or null for a quiet one, is answered with the core, whether
    it was quiet, and the seconds. Less than TURNS if the other process ended.
    """
    path = os.environ.pop("TAKE_TURNS", None)
    if not path:
        return []
    cores, taken = sorted(os.sched_getaffinity(0)), []
    with socket.socket(socket.AF_UNIX) as partner:
        partner.connect(path)
        for _, line in zip(range(TURNS), partner.makefile(), strict=False):
            if (core := json.loads(line)) is None:
                move_to_quiet_core(quiet, cores)
            else:
                move({core})
            sample(2)  # not counted: the device comes from the other process
            before = sentinel()
            seconds = sample()
            noise = max(before, sentinel()) / quiet
            taken.append((noise, seconds))
            answer = [min(os.sched_getaffinity(0)), noise <= QUIET, seconds]
            partner.sendall(f"{json.dumps(answer)}\n".encode())
    move(cores)
    return taken


def samples(sample, quiet, check):
    """Iterates over a process's samples, for Clock.tick; takes more when they are used up.

    `check` is called before the first and after the last; it raises if the data are wrong.
    """
    while True:
        sample()  # brings the bytes that are compared now
        check()
        taken = take_turns(sample, quiet)
        if len(taken) < TURNS:
            taken = take_samples(sample, quiet)
        check()
        noise, seconds = zip(*taken, strict=True)
        found = sum(level <= QUIET for level in noise)
        speed = quiet * float(numpy.median(noise))  # the core's, as its sentinel says
        note(samples=len(taken), quiet=found, sentinel=speed)
        yield from seconds


def fill(host):
    """Fill the NumPy array `host` with fresh random bytes; its size is a multiple of 8."""
    host.view(numpy.uint64)[:] = numpy.random.SFC64().random_raw(host.nbytes // 8)


def verify(host, arrived):
    """ValueError unless the arrays `host` and `arrived`, equally large, hold the same bytes.

    Then every bit of `host` is inverted: what is verified next, only later transfers can bring.
    """
    words = host.view(numpy.uint64)
    if not numpy.array_equal(words, arrived.view(numpy.uint64)):
        wrong = numpy.count_nonzero(host.view(numpy.uint8) != arrived.view(numpy.uint8))
        raise ValueError(f"wrong bytes arrived: {wrong} of {host.nbytes}")
    numpy.invert(words, out=words)


def note(**facts):
    """Tell scripts/asv_plugin/, which reads the process's output, what asv has no place for."""
    print("note:", json.dumps(facts), flush=True)


def skip(reason):
    """End this process; asv records n/a, and the run says why."""
    note(skipped=reason)
    raise SkipNotImplemented(reason)


@contextmanager
def missing_skipped(method):
    """n/a if the block imports a library that is not wholly installed, or of no use."""
    try:
        yield
    except (ModuleNotFoundError, Unusable) as error:
        missing = getattr(error, "name", None)
        skip(f"{method} is not installed (no module {missing})" if missing else str(error))


@contextmanager
def out_of_memory_skipped():
    """n/a if the block raises what NumPy or one of the four libraries says when memory is out."""
    try:
        yield
    except Exception as error:
        if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
            skip(f"not enough memory: {(str(error).strip() or 'MemoryError').splitlines()[0]}")
        raise
