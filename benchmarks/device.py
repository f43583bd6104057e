"""The GPU as the harness sees it: the context, the wait, the bytes there, a host array's memory.

The harness must do the same for every method, and must work when any one of the four libraries
is missing. So it asks CUDA's driver itself, through ctypes.
"""

import ctypes
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy

from .checks import BLOCK
from .quiet_core import move
from .reasons import skip

# From cuda.h: CUresult, CUpointer_attribute, CUmemorytype.
INVALID_VALUE, STUB_LIBRARY, NO_DEVICE = 1, 34, 100
MEMORY_TYPE_ATTRIBUTE = 2
HOST_MEMORY = 1


def check(cuda: Any, error: int) -> None:
    """Raise RuntimeError with the driver's own words for `error`, a CUresult, if it is not 0."""
    if error:
        text = ctypes.c_char_p()
        cuda.cuGetErrorString(int(error), ctypes.byref(text))  # NULL for an error it does not know
        raise RuntimeError(f"CUDA driver: {(text.value or b'?').decode()} (error {int(error)})")


@functools.cache
def driver() -> Any:
    """libcuda, with the primary context of device 0, which all the methods share, current.

    The point is n/a where there is no driver or no device.
    """
    # CUDA then counts devices as NVML does, which names the machine (scripts/setup/gpu.py).
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
        error = cuda.cuInit(0)
    except (OSError, AttributeError):
        skip("no NVIDIA driver on this machine (libcuda.so.1 is missing, or is no driver)")
    if error == STUB_LIBRARY:
        skip("no NVIDIA driver on this machine (libcuda.so.1 is the toolkit's stub)")
    if error == NO_DEVICE:
        skip("there is an NVIDIA driver, but no device (CUDA_ERROR_NO_DEVICE)")
    check(cuda, error)
    device, context = ctypes.c_int(), ctypes.c_void_p()
    check(cuda, cuda.cuDeviceGet(ctypes.byref(device), 0))
    check(cuda, cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), device))
    check(cuda, cuda.cuCtxSetCurrent(context))
    return cuda


def wait() -> Callable[[], Any]:
    """A function that returns once the device has done all that it was given.

    It is cuda.bindings' cudaDeviceSynchronize, for every method alike; only where that package
    is not installed, the driver's cuCtxSynchronize. Either way Harness measures what it costs.
    """
    cuda = driver()
    try:
        from cuda.bindings import runtime
    except ModuleNotFoundError:
        return cuda.cuCtxSynchronize
    return runtime.cudaDeviceSynchronize


def memory_kind(host: numpy.ndarray) -> str:
    """'pinned' or 'pageable': what CUDA's driver says of the memory of the NumPy array `host`.

    Source: CUDA Driver API, cuPointerGetAttribute: memory that CUDA neither allocated nor
    registered is answered with CUDA_ERROR_INVALID_VALUE. The first and the last byte are asked
    about; RuntimeError if they differ or lie in memory of another kind.
    """
    cuda = driver()
    kinds = set()
    for address in (host.ctypes.data, host.ctypes.data + host.nbytes - 1):
        kind = ctypes.c_uint()
        error = cuda.cuPointerGetAttribute(
            ctypes.byref(kind), MEMORY_TYPE_ATTRIBUTE, ctypes.c_void_p(address)
        )
        if error != INVALID_VALUE:
            check(cuda, error)
        kinds.add(kind.value)
    if kinds == {0}:
        return "pageable"
    if kinds == {HOST_MEMORY}:
        return "pinned"
    raise RuntimeError(f"host array in memory of CUDA's type {sorted(kinds)}")


def require_memory(kind: str, host: numpy.ndarray, method: str) -> None:
    """TypeError unless the memory of `host`, which `method` made, is of the kind asked for."""
    found = memory_kind(host)
    if found != kind:
        raise TypeError(f"{method} gave {found} memory where {kind} was asked for")


@functools.cache
def start() -> None:
    """Make `driver`'s context, and stay on the cores of the GPU's own NUMA node, if they are known.

    n/a as `driver` is.
    """
    cuda = driver()
    bus = ctypes.create_string_buffer(16)
    check(cuda, cuda.cuDeviceGetPCIBusId(bus, len(bus), 0))
    listed = Path("/sys/bus/pci/devices", bus.value.decode().lower(), "local_cpulist")
    try:
        ranges = [part.split("-") for part in listed.read_text().strip().split(",")]
        near = {core for r in ranges for core in range(int(r[0]), int(r[-1]) + 1)}
    except (OSError, ValueError):  # not every virtual machine passes the topology on
        return
    if near := near & os.sched_getaffinity(0):
        move(near)


def broken() -> bool:
    """Whether nothing can be done any more in the context, as after an illegal access."""
    return bool(driver.cache_info().currsize and driver().cuCtxSynchronize())


def parts(address: int, nbytes: int) -> Iterator[numpy.ndarray]:
    """The `nbytes` bytes at `address` on the device, in parts that lie in one host array in turn.

    They are the harness's own copies: what a library's way back does to them shows, too.
    """
    cuda, buffer = driver(), numpy.empty(min(nbytes, BLOCK), numpy.uint8)
    for start in range(0, nbytes, BLOCK):
        part = buffer[: nbytes - start]
        source = ctypes.c_uint64(address + start)
        target = ctypes.c_void_p(part.ctypes.data)
        check(cuda, cuda.cuMemcpyDtoH_v2(target, source, ctypes.c_size_t(part.nbytes)))
        yield part
