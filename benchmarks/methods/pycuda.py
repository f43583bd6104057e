"""PyCUDA: `gpuarray.to_gpu(x)`, `GPUArray.set` and `GPUArray.get`. Nothing is pooled by default."""

import atexit
import functools

DISTRIBUTIONS = ("pycuda",)


def load():
    import pycuda.driver
    import pycuda.gpuarray

    return pycuda


@functools.cache
def start():
    """PyCUDA, told of the primary context; `pycuda.autoinit` would make one of its own."""
    pycuda = load()
    pycuda.driver.init()
    context = pycuda.driver.Device(0).retain_primary_context()
    context.push()
    atexit.register(context.pop)  # PyCUDA aborts at exit with a context still on its stack
    return pycuda


def pinned(n, dtype):
    return start().driver.pagelocked_empty(n, dtype)


def new_array(host):
    gpuarray = start().gpuarray
    return lambda: gpuarray.to_gpu(host)


def existing_array(host):
    device = start().gpuarray.empty(host.shape, host.dtype)
    return device, lambda: device.set(host)


def queued_array(host):
    device = start().gpuarray.empty(host.shape, host.dtype)
    return device, lambda: device.set_async(host)


def new_host(device):
    return device.get


def existing_host(device, host):
    return lambda: device.get(host)


def address(device):
    return int(device.gpudata)


def empty_pinned_pool():
    pass
