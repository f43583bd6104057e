"""256 small arrays: one by one, queued together, or packed into one. On `version`, see
host_to_device.py.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy

from . import checks, device, methods, visit
from .clock import SAMPLES, number, repeat, rounds, timeout, timer, warmup_time  # noqa: F401
from .host_to_device import pageable
from .quiet_core import quiet_level as setup_cache  # noqa: F401
from .series import Series, steady, timed

ARRAYS = 256
NBYTES = [256 * 4**step for step in range(5)]  # of each: 256 B to 64 KiB

# The function that sends all arrays, the device arrays that they are then in, and the memory that
# they are sent from.
Sending = tuple[Callable[[], Any], list[Any], numpy.ndarray]


def one_by_one(method: methods.Method, name: str, whole: numpy.ndarray) -> Sending:
    """Each ordinary array into a device array, as if it were the only one."""
    made, copies = zip(*map(method.existing_array, numpy.split(whole, ARRAYS)), strict=True)
    return in_a_loop(copies), list(made), whole


def queued(method: methods.Method, name: str, whole: numpy.ndarray) -> Sending:
    """The same of arrays that lie in pinned memory: all copies are queued, and waited for once."""
    there = method.pinned(whole.size, "uint8")
    checks.fill(there)
    device.require_memory("pinned", there, name)
    made, copies = zip(*map(method.queued_array, numpy.split(there, ARRAYS)), strict=True)
    return in_a_loop(copies), list(made), there


def packed(method: methods.Method, name: str, whole: numpy.ndarray) -> Sending:
    """The ordinary arrays are copied into one pinned buffer, which is kept, and sent as one."""
    arrays, buffer = numpy.split(whole, ARRAYS), method.pinned(whole.size, "uint8")
    device.require_memory("pinned", buffer, name)
    made, copy = method.existing_array(buffer)

    def send() -> None:
        numpy.concatenate(arrays, out=buffer)
        copy()

    return send, [made], whole


def in_a_loop(copies: tuple[Callable[[], Any], ...]) -> Callable[[], None]:
    def send() -> None:
        for copy in copies:
            copy()

    return send


def ways() -> dict[str, tuple[Callable[..., Sending], str]]:
    """By name: the way and the method that it is gone with.

    Where each array is a call of the library, that is each library's. Packed it is one call, and
    which library makes it is HostToDevice's question.
    """
    each = {"one-by-one": one_by_one, "queued": queued}
    found = {
        f"{way} {name}": (make, name) for way, make in each.items() for name in methods.REGISTRY
    }
    return {**found, "packed cuda-python": (packed, "cuda-python")}


class ManyArrays:
    """Sending 256 NumPy arrays of uint8 to the device, and the wait for all: seconds of one, that
    is those of all over their number; lower is better.

    Parameters: the way, with the library (see `ways`), and the size of each array in bytes. A
    process measures all ways of a size in turn. The ordinary arrays are the same for all, and in
    the CPU's caches; what arrived of each is compared.
    """

    version = "1"
    params = [list(ways()), NBYTES]
    param_names = ["way", "nbytes"]

    def time_all(self, level, way, nbytes):
        timer.tick(sendings(level, way, nbytes))


@functools.cache  # asv calls the benchmark once a sample
def sendings(level: float, asked: str, nbytes: int) -> Iterator[float]:
    """The samples of the way `asked`, of a visit of all ways."""
    makers = {way: functools.partial(series, *made, nbytes) for way, made in ways().items()}
    return visit.samples(level, asked, makers, SAMPLES, parameter="way")


def series(make: Callable[..., Sending], name: str, nbytes: int) -> Series:
    device.start()
    method = methods.loaded(name)
    whole = pageable(ARRAYS * nbytes, "uint8")
    device.require_memory("pageable", whole, name)
    send, made, source = make(method, name, whole)
    each = source.nbytes // len(made)

    def arrived() -> Iterator[numpy.ndarray]:
        for one in made:
            yield from device.parts(method.address(one), each)

    take = functools.partial(timed, send, device.wait())
    all_of_them = steady(take, check=lambda: checks.verify(source, arrived()), source=source)
    return replace(all_of_them, take=lambda count: take(count) / ARRAYS)
