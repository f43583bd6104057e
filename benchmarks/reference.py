"""What the numbers are held against: the host's own copy, the link's ceiling, the harness's floor.

And what pinned memory costs before the first byte is sent.

On their `version`, see host_to_device.py.
"""

import functools
from time import perf_counter

import numpy

from . import device, measure, methods
from .host_to_device import DTYPES, NBYTES
from .measure import number, repeat, rounds, setup_cache, timeout, timer, warmup_time  # noqa: F401
from .methods import cuda_python

NOT_SUPPORTED = 801  # CUDA_ERROR_NOT_SUPPORTED, from cuda.h


def nothing():
    pass


class HostCopy:
    """One copy from a NumPy array to another: seconds; what host memory allows. Needs no GPU."""

    version = "1"
    params = [DTYPES, NBYTES]
    param_names = ["dtype", "nbytes"]

    def setup(self, quiet, *point):
        host_arrays(*point)

    def time_copy(self, quiet, *point):
        timer.tick(host_copy(quiet, *point))


@functools.cache
def host_arrays(dtype, nbytes):
    n = nbytes // numpy.dtype(dtype).itemsize
    with measure.out_of_memory_skipped():
        source, target = numpy.empty(n, dtype), numpy.empty(n, dtype)
        measure.fill(source)
    return source, target


@functools.cache
def host_copy(quiet, *point):
    source, target = host_arrays(*point)
    sample = measure.sampler(functools.partial(numpy.copyto, target, source), nothing)
    return measure.samples(sample, quiet, lambda: measure.verify(source, target))


class Harness:
    """What the harness itself costs: a call that transfers nothing, and the wait. Seconds.

    `wait` is `device`, the wait of HostToDevice and its floor, or `none`, the floor of HostCopy.
    """

    version = "1"
    params = [["none", "device"]]
    param_names = ["wait"]

    def setup(self, quiet, wait):
        wait_for(wait)

    def time_nothing(self, quiet, wait):
        timer.tick(empty_call(quiet, wait))


def wait_for(wait):
    return nothing if wait == "none" else device.wait()


@functools.cache
def empty_call(quiet, wait):
    return measure.samples(measure.sampler(nothing, wait_for(wait)), quiet, nothing)


class Link:
    """The ceiling: seconds a pinned host-to-device copy takes while the copy engine is kept busy.

    Measured as nvbandwidth measures host_to_device_memcpy_ce: the stream is held back while
    copies of the same array are queued behind each other, device events around them.
    """

    version = "1"
    params = [NBYTES]
    param_names = ["nbytes"]

    def setup(self, quiet, nbytes):
        link_arrays(nbytes)

    def time_link(self, quiet, nbytes):
        timer.tick(busy_link(quiet, nbytes))


@functools.cache
def link_arrays(nbytes):
    with measure.out_of_memory_skipped():
        device.driver()
        device.stay_near()
        with measure.missing_skipped("cuda-python"):
            cuda_python.load()
        host = cuda_python.pinned(nbytes, "uint8")
        target = cuda_python.DeviceArray(nbytes)
    measure.fill(host)
    return host, target


@functools.cache
def busy_link(quiet, nbytes):
    from cuda.bindings import driver, runtime

    check = cuda_python.check
    host, target = link_arrays(nbytes)
    start, end = check(runtime.cudaEventCreate()), check(runtime.cudaEventCreate())
    stream = check(runtime.cudaStreamCreate())
    gate = cuda_python.pinned(1, "uint32")  # the stream waits until it holds the sample's number
    gate[0] = 0
    to_device = runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
    copy = (target.pointer, host.ctypes.data, nbytes, to_device, stream)
    # At most what a stream queues without blocking the host, which would never open the gate.
    count = int(min(128, max(4, measure.SAMPLE_SECONDS * 50e9 / nbytes)))

    def sample(count=count):
        equal = driver.CUstreamWaitValue_flags.CU_STREAM_WAIT_VALUE_EQ
        ticket = int(gate[0]) + 1
        (error,) = driver.cuStreamWaitValue32(stream, gate.ctypes.data, ticket, equal)
        if error == NOT_SUPPORTED:
            measure.skip("this driver cannot hold a stream back (cuStreamWaitValue32)")
        device.check(device.driver(), error)
        try:
            check(runtime.cudaEventRecord(start, stream))
            for _ in range(count):
                check(runtime.cudaMemcpyAsync(*copy))
            check(runtime.cudaEventRecord(end, stream))
        finally:
            gate[0] = ticket
        check(runtime.cudaEventSynchronize(end))
        return check(runtime.cudaEventElapsedTime(start, end)) / 1000 / count

    for _ in range(3):
        sample()
    return measure.samples(sample, quiet, lambda: measure.verify(host, cuda_python.read(target)))


class Pinning:
    """Making one pinned array of uint8: seconds, lower is better.

    What pinned transfers gain is paid for with this, once an array. The library's pool of pinned
    memory is emptied before each, so that every array is page-locked anew; releasing it is not
    counted.
    """

    version = "1"
    params = [list(methods.REGISTRY), NBYTES]
    param_names = ["method", "nbytes"]

    def setup(self, quiet, method, nbytes):
        pinning_library(method)

    def time_pin(self, quiet, *point):
        timer.tick(pinning(quiet, *point))


@functools.cache
def pinning_library(method):
    device.driver()
    device.stay_near()
    library = methods.module(method)
    with measure.missing_skipped(method):
        library.load()
        library.empty_pinned_pool()
    return library


@functools.cache
def pinning(quiet, method, nbytes):
    library = pinning_library(method)

    def pin():
        """Seconds of making one; it is pinned, or this fails."""
        start = perf_counter()
        host = library.pinned(nbytes, "uint8")
        seconds = perf_counter() - start
        device.require_memory("pinned", host, method)
        del host
        library.empty_pinned_pool()
        return seconds

    with measure.out_of_memory_skipped():
        pin()
        count = max(1, round(measure.SAMPLE_SECONDS / pin()))

    def sample(count=count):
        return sum(pin() for _ in range(count)) / count

    return measure.samples(sample, quiet, nothing)
