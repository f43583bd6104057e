"""CUDA Python: the CUDA runtime's own calls, through cuda.bindings. Nothing is pooled."""

import ctypes
import mmap
import resource
import weakref

import numpy

from . import Unusable

DISTRIBUTIONS = "cuda-python", "cuda-bindings"


def load():
    try:
        from cuda.bindings import runtime
    except ModuleNotFoundError:
        from importlib import metadata

        there = {one for one in DISTRIBUTIONS if list(metadata.distributions(name=one))}
        if there == {"cuda-python"}:  # a later one requires the other
            version = metadata.version("cuda-python")
            raise Unusable(f"cuda-python {version} is too old: it has no cuda.bindings") from None
        raise
    return runtime


def check(result):
    """What a cuda.bindings call returned, without its error code; RuntimeError if that is not 0."""
    error, *values = result
    if error:
        text = load().cudaGetErrorString(error)[1].decode()
        raise RuntimeError(f"{error.name}: {text}")
    return values[0] if values else None


class DeviceArray:
    """`nbytes` of device memory, from cudaMalloc until the last reference is dropped."""

    def __init__(self, nbytes):
        self.free, self.nbytes = load().cudaFree, nbytes
        self.pointer = check(load().cudaMalloc(nbytes))

    def __del__(self):
        if hasattr(self, "pointer"):
            self.free(self.pointer)


# What a system answers that lets no memory be registered: too little of it may be locked, or the
# GPU is in confidential computing.
REFUSED = "MemoryAllocation", "OperatingSystem", "NotPermitted", "NotSupported"


class Registered:
    """The NumPy array `host`, page-locked where it lies until this is released or dropped.

    Unusable, with the limit that the system sets, where it does not let that be done; and where
    `host` is read-only: most GPUs want cudaHostRegisterReadOnly for pages that are mapped so
    (CUDA Runtime API, cudaHostRegister).
    """

    def __init__(self, host):
        self.host, self.pointer = host, host.ctypes.data  # its memory must outlive the lock
        cuda = load()
        result = cuda.cudaHostRegister(self.pointer, host.nbytes, cuda.cudaHostRegisterDefault)
        if result[0].name.removeprefix("cudaError") in REFUSED:
            limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
            locked = "" if limit < 0 else f" (ulimit -l: {limit >> 10} KiB)"
            raise Unusable(f"an array cannot be registered here: {result[0].name}{locked}")
        if result[0] and not host.flags.writeable:
            raise Unusable(f"a read-only array cannot be registered: {result[0].name}")
        check(result)
        self.unregister = cuda.cudaHostUnregister

    def release(self):
        unregister, self.unregister = self.unregister, None
        check(unregister(self.pointer))

    def __del__(self):
        if getattr(self, "unregister", None):
            self.unregister(self.pointer)


def own_pages(nbytes):
    """`nbytes` bytes in ordinary memory, which share no page with another array: pages are what is
    locked, and none can be twice.
    """
    return numpy.empty(nbytes + 2 * mmap.PAGESIZE, numpy.uint8)[mmap.PAGESIZE :][:nbytes]


def pinned(n, dtype):
    cuda = load()
    nbytes = n * numpy.dtype(dtype).itemsize
    pointer = check(cuda.cudaHostAlloc(nbytes, cuda.cudaHostAllocDefault))
    memory = (ctypes.c_uint8 * nbytes).from_address(pointer)
    weakref.finalize(memory, cuda.cudaFreeHost, pointer)
    return numpy.frombuffer(memory, dtype)


def new_array(host):
    cuda = load()
    to_device = cuda.cudaMemcpyKind.cudaMemcpyHostToDevice

    def new():
        device = DeviceArray(host.nbytes)
        check(cuda.cudaMemcpy(device.pointer, host.ctypes.data, host.nbytes, to_device))
        return device

    return new


def existing_array(host):
    cuda = load()
    device = DeviceArray(host.nbytes)
    copy, to_device = cuda.cudaMemcpy, cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
    target, source, nbytes = device.pointer, host.ctypes.data, host.nbytes
    return device, lambda: copy(target, source, nbytes, to_device)


def queued_array(host):
    cuda = load()
    device = DeviceArray(host.nbytes)
    copy, to_device = cuda.cudaMemcpyAsync, cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
    target, source, nbytes = device.pointer, host.ctypes.data, host.nbytes
    return device, lambda: copy(target, source, nbytes, to_device, 0)


def new_host(device):
    cuda = load()
    to_host = cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost

    def new():
        host = numpy.empty(device.nbytes, numpy.uint8)
        check(cuda.cudaMemcpy(host.ctypes.data, device.pointer, host.nbytes, to_host))
        return host

    return new


def existing_host(device, host):
    cuda = load()
    copy, to_host = cuda.cudaMemcpy, cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
    target, source, nbytes = host.ctypes.data, device.pointer, host.nbytes
    return lambda: copy(target, source, nbytes, to_host)


def address(device):
    return int(device.pointer)


def empty_pinned_pool():
    pass
