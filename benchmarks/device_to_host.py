"""The way back: the seconds that one array takes from the GPU into a NumPy array, by method.

On `version`, see host_to_device.py.
"""

import functools
from collections.abc import Callable, Iterator

import numpy

from . import checks, device, methods, visit
from .clock import number, repeat, rounds, samples_of, timeout, timer, warmup_time  # noqa: F401
from .host_to_device import NBYTES, pageable
from .quiet_core import quiet_level as setup_cache  # noqa: F401
from .series import Series, steady, timed

DTYPE = "float32"  # the bytes are what takes time

Operation = Callable[[methods.Method, numpy.ndarray, str, str], Series]


class DeviceToHost:
    """One transfer of a device array of float32 into a NumPy array, and the wait: seconds.

    Parameters: the method, the memory where the NumPy array lies (pageable, or page-locked by the
    method's own allocator) and its size in bytes. As in HostToDevice a process measures all methods
    of a point in turn; the driver is asked about the memory, and every byte that came back is
    compared. Each method sends bytes of its own.
    """

    version = "1"
    params = [list(methods.REGISTRY), ["pageable", "pinned"], NBYTES]
    param_names = ["method", "memory", "nbytes"]

    def setup(self, level, method, memory, nbytes):
        self.repeat = samples_of(nbytes)

    def time_new_array(self, level, *point):
        """A NumPy array's whole life: made as the library's users get one, filled, released.

        It is always pageable: by none of the libraries does one get another without asking for it,
        and asking for it is what Pinning measures, and then the copy into an array that is there.
        What makes it slow are its pages, which the system gives and takes back, from some MiB on
        each time; below, the allocator keeps them.
        """
        timer.tick(transfers(new_array, level, *point))

    time_new_array.params = [params[0], ["pageable"], NBYTES]  # type: ignore[attr-defined]

    def time_existing_array(self, level, *point):
        """The copy alone, into a NumPy array that is there and has been written to."""
        timer.tick(transfers(existing_array, level, *point))


@functools.cache  # asv calls the benchmark once a sample
def transfers(
    operation: Operation, level: float, asked: str, memory: str, nbytes: int
) -> Iterator[float]:
    """The samples of the method `asked`, of a visit of all methods."""
    makers = {
        name: functools.partial(series, operation, name, memory, nbytes)
        for name in methods.REGISTRY
    }
    return visit.samples(level, asked, makers, samples_of(nbytes), parameter="method")


def series(operation: Operation, name: str, memory: str, nbytes: int) -> Series:
    """The transfers of the method `name`, from a device array with bytes of its own."""
    device.start()
    method = methods.loaded(name)
    sent = numpy.empty(nbytes // numpy.dtype(DTYPE).itemsize, DTYPE)
    checks.fill(sent)
    return operation(method, sent, name, memory)


def placed(method: methods.Method, sent: numpy.ndarray) -> tuple[object, Callable[[], None]]:
    """A device array with the bytes of `sent`, and a function that brings them there anew."""
    source, copy = method.existing_array(sent)
    wait = device.wait()

    def place() -> None:
        copy()
        wait()

    place()
    return source, place


def existing_array(method: methods.Method, sent: numpy.ndarray, name: str, memory: str) -> Series:
    """All methods write into one pageable array: four of 32 MiB do not fit the CPU's cache.

    So after each sample its last bytes are looked at, which are none of another method's, and all
    of them are compared after one more transfer into what another one has left there.
    """
    host = pageable(sent.size, DTYPE) if memory == "pageable" else method.pinned(sent.size, DTYPE)
    device.require_memory(memory, host, name)
    source, place = placed(method, sent)
    copy, wait = method.existing_host(source, host), device.wait()
    last = sent.view(numpy.uint64)[-1:], host.view(numpy.uint64)[-1:]

    def take(count: int) -> float:
        seconds = timed(copy, wait, count)
        if last[0] != last[1]:
            raise ValueError("wrong bytes came back")
        return seconds

    def check() -> None:
        if memory == "pageable":
            checks.change(host)
            take(1)
        checks.verify(sent, checks.blocks(host))

    return steady(take, check=check, source=sent, place=place, keep=source)


def new_array(method: methods.Method, sent: numpy.ndarray, name: str, memory: str) -> Series:
    source, place = placed(method, sent)
    new, wait = method.new_host(source), device.wait()

    def check() -> None:
        made = new()
        wait()
        device.require_memory(memory, made, name)
        checks.verify(sent, checks.blocks(made))

    return steady(functools.partial(timed, new, wait), check=check, source=sent, place=place)
