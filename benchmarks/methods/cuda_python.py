"""CUDA Python: the CUDA runtime's own calls, through cuda.bindings. Nothing is pooled."""

import ctypes
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
        self.free = load().cudaFree
        self.pointer = check(load().cudaMalloc(nbytes))

    def __del__(self):
        if hasattr(self, "pointer"):
            self.free(self.pointer)


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


def address(device):
    return int(device.pointer)


def empty_pinned_pool():
    pass
