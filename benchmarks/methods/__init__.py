"""The methods: one file for each library that can carry a NumPy array to the GPU, and back.

A method is a module that has what Method says; a fifth one is one more file and its line in
REGISTRY.
"""

import importlib
from collections.abc import Callable
from typing import Any, Protocol

import numpy

# The method's name, as results and plots show it, and its module.
REGISTRY = {
    "cuda-python": "cuda_python",
    "torch": "pytorch",
    "cupy": "cupy",
    "pycuda": "pycuda",
}


class Unusable(Exception):
    """The method's library cannot be used here: the point is n/a, and its words are the reason."""


class Method(Protocol):
    """What a method's module owes.

    `host` is a C-contiguous, one-dimensional NumPy array of any of the suite's dtypes; the device
    is CUDA's device 0, whose primary context is current before anything but `load` is called. The
    callables take no arguments, are the calls that the library's users would write, and may return
    before the copy is done: the harness waits, in the same way for every method, and compares the
    bytes that arrived. Whatever else fails raises; an exception that says "out of memory" makes the
    method n/a, any other fails it.
    """

    # The packages that bring the library, as pip names them: the first that is installed gives the
    # version that is recorded.
    DISTRIBUTIONS: tuple[str, ...]

    def load(self) -> Any:
        """Import the library. Must not initialise CUDA: it runs in a process that forks later.

        ModuleNotFoundError if it is not there, Unusable if what is there cannot do it.
        """

    def pinned(self, n: int, dtype: str) -> numpy.ndarray:
        """An uninitialised array of `n` elements, page-locked by the library's own allocator.

        It owns its memory for as long as it is referenced.
        """

    def new_array(self, host: numpy.ndarray) -> Callable[[], Any]:
        """Calling the result makes a new device array with the bytes of `host`, and returns it.

        Dropping the last reference releases it in the library's own way (a pool keeps it, cudaFree
        does not).
        """

    def existing_array(self, host: numpy.ndarray) -> tuple[Any, Callable[[], Any]]:
        """A device array of the shape and dtype of `host`, and a function that copies `host` there.

        What can be prepared once for this pair of arrays (a view, an address) is prepared. The
        harness keeps both arrays for as long as it calls the function.
        """

    def queued_array(self, host: numpy.ndarray) -> tuple[Any, Callable[[], Any]]:
        """As `existing_array`, of a page-locked `host`: the function only queues the copy.

        Of several they are queued on one stream, the default one, and waited for once.
        """

    def new_host(self, device: Any) -> Callable[[], numpy.ndarray]:
        """Calling the result makes a new NumPy array with the bytes of `device`, and returns it.

        It lies in ordinary memory, as what the library's users get does. Its dtype is that of
        `device`, or uint8 if the library's device memory has none.
        """

    def existing_host(self, device: Any, host: numpy.ndarray) -> Callable[[], Any]:
        """A function that copies the device array `device` into `host`, of its shape and dtype.

        What can be prepared once for this pair is prepared, as for `existing_array`.
        """

    def address(self, device: Any) -> int:
        """Where on the device the bytes of a device array begin."""

    def empty_pinned_pool(self) -> None:
        """Give back to CUDA the page-locked memory that the library keeps for reuse, if any.

        Unusable if it keeps some and cannot give it back.
        """


def module(name: str) -> Method:
    """The module of the method `name`, a key of REGISTRY; its library need not be there."""
    return importlib.import_module(f".{REGISTRY[name]}", __name__)


def loaded(name: str) -> Method:
    """The module of the method `name`, with its library imported; Unusable if that cannot be."""
    method = module(name)
    try:
        method.load()
    except ModuleNotFoundError as error:
        raise Unusable(f"{name} is not installed (no module {error.name})") from None
    return method
