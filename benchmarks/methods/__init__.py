"""The methods: one file for each library that can carry a NumPy array to the GPU.

A method is a module with these functions. `host` is a C-contiguous, one-dimensional NumPy array
of any of the suite's dtypes; the device is CUDA's device 0 and its primary context is current
before any of them but `load` is called.

DISTRIBUTIONS
    The packages that bring the library, as pip names them: the first that is installed gives the
    version that is recorded.
load()
    Import the library. Must not initialise CUDA: it runs in a process that forks later. Unusable
    if it is there, and cannot carry an array.
pageable(n, dtype), pinned(n, dtype) -> ndarray
    An uninitialised host array of `n` elements, in ordinary memory or page-locked by the
    library's own allocator. It owns its memory for as long as it is referenced.
new_array(host) -> callable
    Calling the result makes a new device array with the bytes of `host` and returns it. Dropping
    the last reference releases it in the library's own way (a pool keeps it, cudaFree does not).
existing_array(host) -> (device array, callable)
    A device array of the shape and dtype of `host`, and a function that copies `host` into it.
    What can be prepared once for this pair of arrays (a view, an address) is prepared. The
    harness keeps both arrays for as long as it calls the function.
read(device) -> ndarray
    The device array's bytes, back on the host.
empty_pinned_pool()
    Give back to CUDA the page-locked memory that the library keeps for reuse; nothing if it
    keeps none, Unusable if it cannot.

The two callables take no arguments, are the calls that the library's users would write, and may
return before the copy is done: the harness waits, in the same way for every method, and compares
the bytes that arrived. Whatever else fails raises; an exception that says "out of memory" makes
the point n/a, any other fails it.

A fifth method is one more file and its line in REGISTRY.
"""

import importlib


class Unusable(Exception):
    """Why a library that is installed cannot be measured: its points are n/a, with this reason."""


# The method's name, as results and plots show it, and its module.
REGISTRY = {
    "cuda-python": "cuda_python",
    "torch": "pytorch",
    "cupy": "cupy",
    "pycuda": "pycuda",
}


def module(name):
    """The module of the method `name`, a key of REGISTRY."""
    return importlib.import_module(f".{REGISTRY[name]}", __name__)
