"""The subject: the seconds that one NumPy array takes to reach the GPU, by method.

`version` of every benchmark in this suite is set by hand: bump it whenever a change of the code,
here, in methods/, measure.py or device.py, changes what a number means or how it comes about;
results of another version are then no longer compared.
"""

import functools

import numpy

from . import device, measure, methods
from .measure import number, repeat, rounds, setup_cache, timeout, timer, warmup_time  # noqa: F401

DTYPES = ["uint8", "float16", "float32", "float64", "complex64"]
NBYTES = [1024 * 8**step for step in range(7)]  # 1 KiB to 256 MiB


class HostToDevice:
    """One transfer of a NumPy array, and the wait for it: seconds, lower is better.

    Parameters: the method (a library of methods/), the memory where the NumPy array lies
    (pageable, or page-locked by the method's own allocator), its dtype and its size in bytes.
    They do not depend on what is installed: what cannot be measured here is n/a, with a reason.

    Every process checks with the driver that the memory is what its label says, and compares
    every byte that arrived, before the first sample and after the last. (For new arrays, which
    are released as they are timed, those of one more array before and after.)
    """

    version = "1"
    params = [list(methods.REGISTRY), ["pageable", "pinned"], DTYPES, NBYTES]
    param_names = ["method", "memory", "dtype", "nbytes"]

    def setup(self, quiet, *point):
        prepare(*point)

    def time_new_array(self, quiet, *point):
        """A device array's whole life: made, filled from the NumPy array, waited for, released.

        Another array of its size is alive on the device meanwhile, as in a program that has some.
        """
        timer.tick(new_array(quiet, *point))

    def time_existing_array(self, quiet, *point):
        """The copy alone, into a device array that is already there."""
        timer.tick(existing_array(quiet, *point))


# asv calls setup and the benchmark once a sample: what a process does once is memoised.
@functools.cache
def prepare(method, memory, dtype, nbytes):
    """The method's module, the source array, the device array and the copy from one to other."""
    with measure.out_of_memory_skipped():
        device.driver()
        device.stay_near()
        library = methods.module(method)
        with measure.missing_skipped(method):
            library.load()
        host = getattr(library, memory)(nbytes // numpy.dtype(dtype).itemsize, dtype)
        measure.fill(host)
        target, copy = library.existing_array(host)
    device.require_memory(memory, host, method)
    return library, host, target, copy


@functools.cache
def existing_array(quiet, *point):
    library, host, target, copy = prepare(*point)
    sample = measure.sampler(copy, device.wait())
    return measure.samples(sample, quiet, lambda: measure.verify(host, library.read(target)))


@functools.cache
def new_array(quiet, *point):
    library, host, *_ = prepare(*point)
    new = library.new_array(host)
    with measure.out_of_memory_skipped():
        sample = measure.sampler(new, device.wait())
    return measure.samples(sample, quiet, lambda: measure.verify(host, library.read(new())))
