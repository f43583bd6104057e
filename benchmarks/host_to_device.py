"""The subject: the seconds that one NumPy array takes to reach the GPU, by method.

`version` of every benchmark in this suite is set by hand: bump it whenever a change of the code
here, in methods/ or in what they use changes what a number means or how it comes about; results
of another version are then no longer compared.
"""

import functools
from collections.abc import Callable, Iterator

import numpy

from . import checks, device, methods, visit
from .clock import number, repeat, rounds, samples_of, timeout, timer, warmup_time  # noqa: F401
from .quiet_core import quiet_level as setup_cache  # noqa: F401
from .series import Series, steady, timed

DTYPES = ["uint8", "float16", "float32", "float64", "complex64"]
NBYTES = [1024 * 8**step for step in range(7)]  # 1 KiB to 256 MiB

# cudaMalloc divides blocks of 2 MiB. If none has room, it takes another one and gives it back, each
# time: 2 to 3.5 times as long. So others of an array's size are there, with a gap between them.
CUDA_BLOCK, NEIGHBOURS = 2 << 20, 6

Operation = Callable[[methods.Method, numpy.ndarray], Series]


class HostToDevice:
    """One transfer of a NumPy array, and the wait for it: seconds, lower is better.

    Parameters: the method (a library of methods/), the memory where the NumPy array lies
    (pageable, or page-locked by the method's own allocator), its dtype and its size in bytes.
    They do not depend on what is installed: what cannot be measured here is n/a, with a reason.

    A process measures all methods of a point in turn (visit.py), whichever of them it is asked
    for. It checks with the driver that the memory is what its label says. Every byte changes before
    the first round, and what has arrived after the last is compared. (For new arrays, which are
    released as they are timed, what arrives in one more array.)
    """

    version = "2"
    params = [list(methods.REGISTRY), ["pageable", "pinned"], DTYPES, NBYTES]
    param_names = ["method", "memory", "dtype", "nbytes"]

    def setup(self, level, method, memory, dtype, nbytes):
        self.repeat = samples_of(nbytes)

    def time_new_array(self, level, *point):
        """A device array's whole life: made, filled from the NumPy array, waited for, released.

        Others of its size are alive on the device meanwhile, as in a program that has some.
        """
        timer.tick(transfers(new_array, level, *point))

    def time_existing_array(self, level, *point):
        """The copy alone, into a device array that is already there."""
        timer.tick(transfers(existing_array, level, *point))


@functools.cache  # asv calls the benchmark once a sample
def transfers(
    operation: Operation, level: float, asked: str, memory: str, dtype: str, nbytes: int
) -> Iterator[float]:
    """The samples of the method `asked`, of a visit of all methods."""
    point = memory, dtype, nbytes
    makers = {name: functools.partial(series, operation, name, *point) for name in methods.REGISTRY}
    return visit.samples(level, asked, makers, samples_of(nbytes), parameter="method")


def series(operation: Operation, name: str, memory: str, dtype: str, nbytes: int) -> Series:
    """The transfers of the method `name`."""
    device.start()
    method = methods.loaded(name)
    n = nbytes // numpy.dtype(dtype).itemsize
    if memory == "pageable":
        host = pageable(n, dtype)
    else:
        host = method.pinned(n, dtype)
        checks.fill(host)
    device.require_memory(memory, host, name)
    return operation(method, host)


@functools.cache  # four of 32 MiB do not fit the CPU's cache that one fits
def pageable(n: int, dtype: str) -> numpy.ndarray:
    """The array that all methods send: `n` elements in ordinary memory."""
    host = numpy.empty(n, dtype)
    checks.fill(host)
    return host


def existing_array(method: methods.Method, host: numpy.ndarray) -> Series:
    target, copy = method.existing_array(host)

    def check() -> None:
        checks.verify(host, device.parts(method.address(target), host.nbytes))

    return steady(functools.partial(timed, copy, device.wait()), check=check, source=host)


def new_array(method: methods.Method, host: numpy.ndarray) -> Series:
    new, wait = method.new_array(host), device.wait()

    def check() -> None:
        checks.change(host)
        made = new()
        wait()
        checks.verify(host, device.parts(method.address(made), host.nbytes))

    neighbours = [new() for _ in range(NEIGHBOURS if host.nbytes < CUDA_BLOCK else 1)]
    del neighbours[2:3]  # the gap
    return steady(functools.partial(timed, new, wait), check=check, keep=neighbours)
