"""What the numbers are held against: the host's own copy, the link's ceiling, the harness's floor.

And what pinned memory costs before the first byte is sent. None of them takes part in the rounds
of another one, or of a transfer: each is a visit of one series. On `version`, see
host_to_device.py.
"""

import functools
from collections.abc import Callable, Iterator
from time import perf_counter

import numpy

from . import checks, device, methods, reasons, visit
from .clock import number, repeat, rounds, samples_of, timeout, timer, warmup_time  # noqa: F401
from .host_to_device import DTYPES, NBYTES
from .methods import cuda_python
from .quiet_core import quiet_level as setup_cache  # noqa: F401
from .series import SAMPLE_SECONDS, Series, nothing, steady, timed

NOT_SUPPORTED = 801  # CUDA_ERROR_NOT_SUPPORTED, from cuda.h
LINK_WARM_UP = 3  # samples
QUEUED = 4, 128  # copies of a sample of the link; a stream queues no more without blocking the host


@functools.cache  # asv calls the benchmark once a sample
def samples(
    level: float, name: str, wanted: int, make: Callable[..., Series], *point: str | int
) -> Iterator[float]:
    """The samples of a visit of one series, `name`, which `make` prepares for `point`."""
    return visit.samples(level, name, {name: functools.partial(make, *point)}, wanted)


class HostCopy:
    """One copy from a NumPy array to another: seconds; what host memory allows. Needs no GPU."""

    version = "2"
    params = [DTYPES, NBYTES]
    param_names = ["dtype", "nbytes"]

    def setup(self, level, dtype, nbytes):
        self.repeat = samples_of(nbytes)

    def time_copy(self, level, dtype, nbytes):
        timer.tick(samples(level, "copy", samples_of(nbytes), host_copy, dtype, nbytes))


def host_copy(dtype: str, nbytes: int) -> Series:
    n = nbytes // numpy.dtype(dtype).itemsize
    source, target = numpy.empty(n, dtype), numpy.empty(n, dtype)
    checks.fill(source)
    take = functools.partial(timed, functools.partial(numpy.copyto, target, source), nothing)
    return steady(take, check=lambda: checks.verify(source, checks.blocks(target)), source=source)


class Harness:
    """What the harness itself costs: a call that transfers nothing, and the wait. Seconds.

    `wait` is `device`, the wait of HostToDevice and its floor, or `none`, the floor of HostCopy.
    """

    version = "2"
    params = [["none", "device"]]
    param_names = ["wait"]

    def time_nothing(self, level, wait):
        timer.tick(samples(level, "nothing", repeat, empty_call, wait))


def empty_call(wait: str) -> Series:
    return steady(functools.partial(timed, nothing, nothing if wait == "none" else device.wait()))


class Link:
    """The ceiling: seconds that a copy of a pinned array takes while the copy engine is kept busy.

    `time_link` is to the device, `time_link_back` from it. Measured as nvbandwidth measures
    host_to_device_memcpy_ce and device_to_host_memcpy_ce: the stream is held back while copies of
    the same array are queued behind each other, device events around them.
    """

    version = "2"
    params = [NBYTES]
    param_names = ["nbytes"]

    def setup(self, level, nbytes):
        self.repeat = samples_of(nbytes)

    def time_link(self, level, nbytes):
        timer.tick(samples(level, "link", samples_of(nbytes), busy_link, nbytes))

    def time_link_back(self, level, nbytes):
        timer.tick(samples(level, "link back", samples_of(nbytes), busy_link_back, nbytes))


def busy_link(nbytes: int) -> Series:
    host, target = link_ends(nbytes)
    checks.fill(host)
    take, count = queued(target.pointer, host.ctypes.data, nbytes, "cudaMemcpyHostToDevice")
    arrived = functools.partial(device.parts, target.pointer, nbytes)
    return Series(take, lambda: checks.verify(host, arrived()), host, count, keep=target)


def busy_link_back(nbytes: int) -> Series:
    host, source = link_ends(nbytes)
    sent = numpy.empty(nbytes, "uint8")
    checks.fill(sent)
    take, count = queued(host.ctypes.data, source.pointer, nbytes, "cudaMemcpyDeviceToHost")
    runtime = cuda_python.load()
    to_device = runtime.cudaMemcpyKind.cudaMemcpyHostToDevice

    def place() -> None:
        cuda_python.check(runtime.cudaMemcpy(source.pointer, sent.ctypes.data, nbytes, to_device))

    def check() -> None:
        checks.verify(sent, checks.blocks(host))

    return Series(take, check, sent, place=place, count=count, keep=(host, source))


def link_ends(nbytes: int) -> tuple[numpy.ndarray, cuda_python.DeviceArray]:
    """`nbytes` bytes of pinned memory and as many of the device's."""
    device.start()
    methods.loaded("cuda-python")
    return cuda_python.pinned(nbytes, "uint8"), cuda_python.DeviceArray(nbytes)


def queued(target: int, source: int, nbytes: int, kind: str) -> tuple[Callable[[int], float], int]:
    """A function that makes so many copies, queued behind each other, and returns the mean seconds
    of one; and how many of them a sample is of.
    """
    runtime, check = cuda_python.load(), cuda_python.check
    start, end = check(runtime.cudaEventCreate()), check(runtime.cudaEventCreate())
    stream = check(runtime.cudaStreamCreate())
    copy = target, source, nbytes, getattr(runtime.cudaMemcpyKind, kind), stream
    hold_back = holder(stream)

    def take(count: int) -> float:
        let_go = hold_back()
        try:
            check(runtime.cudaEventRecord(start, stream))
            for _ in range(count):
                check(runtime.cudaMemcpyAsync(*copy))
            check(runtime.cudaEventRecord(end, stream))
        finally:
            let_go()
        check(runtime.cudaEventSynchronize(end))
        return check(runtime.cudaEventElapsedTime(start, end)) / 1000 / count

    least, most = QUEUED
    count = int(min(most, max(least, SAMPLE_SECONDS * 50e9 / nbytes)))
    for _ in range(LINK_WARM_UP):
        take(count)
    return take, count


def holder(stream) -> Callable[[], Callable[[], None]]:
    """A function that holds `stream` back until what it returned is called. n/a as under WSL2."""
    from cuda.bindings import driver

    equal = driver.CUstreamWaitValue_flags.CU_STREAM_WAIT_VALUE_EQ
    gate = cuda_python.pinned(1, "uint32")  # the stream waits until it holds the sample's number
    gate[0] = 0

    def hold_back() -> Callable[[], None]:
        ticket = int(gate[0]) + 1
        (error,) = driver.cuStreamWaitValue32(stream, gate.ctypes.data, ticket, equal)
        if error == NOT_SUPPORTED:
            reasons.skip("this driver cannot hold a stream back (cuStreamWaitValue32)")
        device.check(device.driver(), error)
        return functools.partial(gate.__setitem__, 0, ticket)

    return hold_back


class Pinning:
    """What pinned transfers gain is paid for with this, once an array: seconds, lower is better.

    `time_pin`: making one pinned array of uint8. The library's pool of pinned memory is emptied
    before each, so that every array is page-locked anew; releasing it is not counted.
    `time_register`: page-locking an ordinary array that is there, where it lies, and releasing it.
    """

    version = "2"
    params = [list(methods.REGISTRY), NBYTES]
    param_names = ["method", "nbytes"]

    def setup(self, level, *point):
        self.repeat = samples_of(point[-1])

    def time_pin(self, level, method, nbytes):
        timer.tick(samples(level, method, samples_of(nbytes), pinning, method, nbytes))

    def time_register(self, level, nbytes):
        timer.tick(samples(level, "register", samples_of(nbytes), registering, nbytes))

    time_register.version = "1"  # type: ignore[attr-defined]  # asv reads it there
    time_register.params = [NBYTES]  # type: ignore[attr-defined]
    time_register.param_names = ["nbytes"]  # type: ignore[attr-defined]


def pinning(name: str, nbytes: int) -> Series:
    device.start()
    method = methods.loaded(name)

    def pin() -> float:
        """Seconds of making one; it is pinned, or this fails."""
        start = perf_counter()
        host = method.pinned(nbytes, "uint8")
        seconds = perf_counter() - start
        device.require_memory("pinned", host, name)
        del host
        method.empty_pinned_pool()
        return seconds

    method.empty_pinned_pool()
    return steady(lambda count: sum(pin() for _ in range(count)) / count)


def registering(nbytes: int) -> Series:
    device.start()
    methods.loaded("cuda-python")
    host = cuda_python.own_pages(nbytes)
    checks.fill(host)

    def register() -> float:
        """Seconds of page-locking and of releasing; it is pinned in between, or this fails."""
        start = perf_counter()
        locked = cuda_python.Registered(host)
        registered = perf_counter()
        device.require_memory("pinned", host, "cudaHostRegister")
        release = perf_counter()
        locked.release()
        return registered - start + perf_counter() - release

    def check() -> None:
        device.require_memory("pageable", host, "cudaHostUnregister")

    return steady(lambda count: sum(register() for _ in range(count)) / count, check=check)
