"""The rounds of a host's check: this process has one GPU, and measures what it is told to.

scripts/hosts/workers.py starts one for each GPU and says in lines of JSON on stdin who takes the
next sample, alone or all at one moment; each line is answered by one. It asks CUDA's driver alone,
so that a host needs none of the four libraries.
"""

import ctypes
import functools
import json
import os
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy

from . import checks, device
from .quiet_core import QUIET, move_to_quiet, quiet_level, sentinel
from .reference import host_copy
from .series import Series, steady, timed

HOST_COPY, TO_DEVICE = "host copy", "to device"  # as in the vocabulary of scripts/words/


def pinned(nbytes: int) -> numpy.ndarray:
    """Page-locked bytes; they stay until the process ends."""
    cuda, pointer = device.driver(), ctypes.c_void_p()
    device.check(cuda, cuda.cuMemHostAlloc(ctypes.byref(pointer), ctypes.c_size_t(nbytes), 0))
    memory = (ctypes.c_uint8 * nbytes).from_address(pointer.value or 0)
    return numpy.ctypeslib.as_array(memory)


def series(direction: str, memory: str, nbytes: int) -> Series:
    """One kind of transfer, its memory's kind asked of the driver; `check` changes the bytes first.

    For the way back, the harness's own copy has brought them to the device.
    """
    if direction == HOST_COPY:
        return host_copy("uint8", nbytes)
    cuda = device.driver()
    host = pinned(nbytes) if memory == "pinned" else numpy.empty(nbytes, numpy.uint8)
    checks.fill(host)
    device.require_memory(memory, host, "CUDA's driver")
    address = ctypes.c_uint64()
    device.check(cuda, cuda.cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(nbytes)))
    there, here, size = address, ctypes.c_void_p(host.ctypes.data), ctypes.c_size_t(nbytes)
    to_device = functools.partial(cuda.cuMemcpyHtoD_v2, there, here, size)
    to_host = functools.partial(cuda.cuMemcpyDtoH_v2, here, there, size)
    device.check(cuda, to_device())
    transfer = to_device if direction == TO_DEVICE else to_host

    def check() -> None:
        checks.change(host)
        if direction == TO_DEVICE:
            device.check(cuda, to_device())
            checks.verify(host, device.parts(address.value, nbytes))
            return
        sent = host.copy()
        device.check(cuda, to_device())
        host[:] = 0
        device.check(cuda, to_host())
        checks.verify(sent, checks.blocks(host))

    take = functools.partial(timed, transfer, cuda.cuCtxSynchronize)
    return steady(take, check=check, source=host)


class Worker:
    """What a line on stdin can ask for, by its "do"."""

    def __init__(self) -> None:
        self.series: list[Series] = []

    def prepare(self, transfers: list[tuple[str, str, int]]) -> dict[str, Any]:
        """The PCI address, when `transfers` can be measured, and bring the bytes that were sent."""
        bus = ctypes.create_string_buffer(32)
        if any(direction != HOST_COPY for direction, *_ in transfers):
            device.start()
            cuda = device.driver()
            device.check(cuda, cuda.cuDeviceGetPCIBusId(bus, len(bus), 0))
        self.cores, self.level = sorted(os.sched_getaffinity(0)), quiet_level()
        self.series = [series(*one) for one in transfers]
        self.verify()
        return {"pci": bus.value.decode().lower()}

    def sample(self, number: int, at: float) -> dict[str, Any]:
        """The mean seconds of one transfer, of a sample that begins at the moment `at`.

        `at` is of perf_counter, which all processes of a host have in common on Linux.
        """
        before = sentinel()
        while perf_counter() < at:
            pass
        seconds = self.series[number].sample()
        self.errors()
        quiet = max(before, sentinel()) <= QUIET * self.level
        if not quiet:  # for the next one
            move_to_quiet(self.level, self.cores)
        return {"seconds": seconds, "quiet": quiet}

    def load(self, number: int, seconds: float) -> dict[str, Any]:
        """Keep the link busy for so long."""
        end = perf_counter() + seconds
        while perf_counter() < end:
            self.series[number].take(1)
        self.errors()
        return {}

    def verify(self) -> dict[str, Any]:
        for one in self.series:
            one.check()
        return {}

    def errors(self) -> None:
        """Raise what the device has met; a copy that fails is fast."""
        if device.driver.cache_info().currsize:
            device.check(device.driver(), device.driver().cuCtxSynchronize())


def main() -> None:
    """Answer each line of stdin, until it ends. What else is printed goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker()
    for line in sys.stdin:
        order = json.loads(line)
        ask: Callable[..., dict[str, Any]] = getattr(worker, order.pop("do"))
        try:
            answer = ask(**order)
        except Exception as error:  # whatever it is, the parent says so and goes on without
            answer = {"failed": str(error) or type(error).__name__}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
