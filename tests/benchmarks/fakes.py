"""Methods whose device is the host, and CUDA for them: a visit as it is on a GPU."""

import ctypes
import enum
import mmap
import threading
import types

import numpy


class Driver:
    """As much of CUDA's driver as the harness asks for once the context is there."""

    broken = 0

    def cuMemcpyDtoH_v2(self, target, source, count):
        ctypes.memmove(target, source.value, count.value)
        return 0


def method(name, **other):
    """The module of a method; `other` are functions in the place of its own."""

    def existing_array(host):
        made = numpy.empty_like(host)
        return made, lambda: numpy.copyto(made, host)

    functions = {
        "load": lambda: numpy,
        "pinned": numpy.empty,
        "new_array": lambda host: lambda: host.copy(),
        "existing_array": existing_array,
        "queued_array": existing_array,
        "new_host": lambda made: made.copy,
        "existing_host": lambda made, host: lambda: numpy.copyto(host, made),
        "address": lambda made: made.ctypes.data,
        "empty_pinned_pool": lambda: None,
    }
    module = types.ModuleType(name)
    vars(module).update(functions | other, DISTRIBUTIONS=())
    return module


class Error(enum.IntEnum):
    cudaSuccess = 0
    cudaErrorInvalidValue = 1
    cudaErrorMemoryAllocation = 2
    cudaErrorHostMemoryAlreadyRegistered = 712
    cudaErrorNotSupported = 801


class Runtime:
    """As much of cuda.bindings.runtime as the suite calls. The device's memory is the host's, too.

    What is queued on a stream is copied when it is waited for, and not before: who writes into a
    buffer too early spoils what is still to be sent from it.
    """

    cudaMemcpyKind = types.SimpleNamespace(cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2)
    cudaHostAllocDefault = cudaHostRegisterDefault = 0
    cudaEventDisableTiming, cudaStreamNonBlocking = 2, 1

    def __init__(self):
        self.memory, self.registered, self.pinned = {}, {}, {}  # by address
        self.streams, self.ends = {0: []}, {}
        self.lock = threading.RLock()

    def cudaGetErrorString(self, error):
        return Error.cudaSuccess, error.name.encode()

    def cudaMalloc(self, nbytes):
        made = ctypes.create_string_buffer(nbytes)
        self.memory[ctypes.addressof(made)] = made
        return Error.cudaSuccess, ctypes.addressof(made)

    def cudaFree(self, address):
        del self.memory[address]
        return (Error.cudaSuccess,)

    def cudaHostAlloc(self, nbytes, flags):
        error, address = self.cudaMalloc(nbytes)
        self.pinned[address] = nbytes
        return error, address

    def cudaFreeHost(self, address):
        del self.pinned[address]
        return self.cudaFree(address)

    def cudaHostRegister(self, address, nbytes, flags):
        pages = range(address // mmap.PAGESIZE, (address + nbytes - 1) // mmap.PAGESIZE + 1)
        if any(set(pages) & set(taken) for taken in self.registered.values()):
            return (Error.cudaErrorHostMemoryAlreadyRegistered,)
        self.registered[address] = pages
        return (Error.cudaSuccess,)

    def cudaHostUnregister(self, address):
        gone = self.registered.pop(address, None)
        return (Error.cudaErrorInvalidValue if gone is None else Error.cudaSuccess,)

    def cudaMemcpy(self, target, source, nbytes, kind):
        ctypes.memmove(target, source, nbytes)
        return (Error.cudaSuccess,)

    def cudaStreamCreate(self):
        with self.lock:
            self.streams[len(self.streams)] = []
            return Error.cudaSuccess, len(self.streams) - 1

    def cudaStreamCreateWithFlags(self, flags):
        return self.cudaStreamCreate()

    def cudaEventCreate(self):
        return Error.cudaSuccess, object()

    def cudaEventCreateWithFlags(self, flags):
        return self.cudaEventCreate()

    def cudaMemcpyAsync(self, target, source, nbytes, kind, stream):
        with self.lock:
            self.streams[stream].append((target, source, nbytes))
        return (Error.cudaSuccess,)

    def cudaEventRecord(self, event, stream):
        with self.lock:
            self.streams[stream].append(event)
            self.ends[event] = stream
        return (Error.cudaSuccess,)

    def cudaEventSynchronize(self, event):
        with self.lock:
            queue = self.streams[self.ends.get(event, 0)]
            while event in queue:
                self.carry_out(queue.pop(0))
        return (Error.cudaSuccess,)

    def cudaEventElapsedTime(self, start, end):
        return Error.cudaSuccess, 1.0  # ms

    def cudaDeviceSynchronize(self):
        with self.lock:
            for queue in self.streams.values():
                while queue:
                    self.carry_out(queue.pop(0))
        return (Error.cudaSuccess,)

    @staticmethod
    def carry_out(queued):
        if isinstance(queued, tuple):
            ctypes.memmove(*queued)

    def memory_kind(self, host):
        """What device.memory_kind would say of `host`."""
        first, last = host.ctypes.data, host.ctypes.data + host.nbytes - 1
        for start, nbytes in self.pinned.items():
            if start <= first and last < start + nbytes:
                return "pinned"
        pages = first // mmap.PAGESIZE, last // mmap.PAGESIZE
        locked = any(set(pages) <= set(taken) for taken in self.registered.values())
        return "pinned" if locked else "pageable"


class Tensor:
    """As much of PyTorch's as a transfer takes: its data are a NumPy array."""

    def __init__(self, array):
        self.array = array

    def pin_memory(self):
        return Tensor(self.array.copy())

    def cuda(self, non_blocking):
        return Tensor(self.array.copy())

    def __bool__(self):
        raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")

    def data_ptr(self):
        return self.array.ctypes.data
