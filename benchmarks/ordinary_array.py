"""An ordinary array is there: how does it get to the device, into memory that is there?

Each way is a function of the device memory's address (an int) that prepares what the way uses
again and again, and returns `send(array)`, the whole of what has to be done for one array: copy it
for your own. An `array` is a C-contiguous one of uint8; that of another is
`x.reshape(-1).view("uint8")`. `send` may return before the bytes are there: wait for the device
then (the harness does, for all ways alike).

All ways but one make the CUDA runtime's own calls, through cuda-python, so that they differ by what
they do and not by the library; each library has these calls. `pin-memory` is PyTorch's, and what
people write. Which library carries one array is HostToDevice's question.
"""

import functools
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from os import sched_getaffinity
from typing import Any

import numpy

from . import checks, device, methods, quiet_core, visit
from .clock import number, repeat, rounds, samples_of, timeout, timer, warmup_time  # noqa: F401
from .host_to_device import pageable
from .methods import cuda_python
from .methods.cuda_python import Registered, check, pinned
from .quiet_core import quiet_level as setup_cache  # noqa: F401
from .series import Series, steady, timed

Send = Callable[[numpy.ndarray], Any]

NBYTES = [64 * 1024 * 8**step for step in range(5)]  # 64 KiB to 256 MiB
CHUNK = 1 << 20  # bytes: long beside the calls that a chunk takes, short beside a large array
COLD, APART = 4 << 20, 256 << 20  # bytes of an array, and of those that are sent in between


def direct(target: int) -> Send:
    """As it is. The driver copies it through pinned memory of its own."""
    cuda = cuda_python.load()
    to_device = cuda.cudaMemcpyKind.cudaMemcpyHostToDevice

    def send(array):
        check(cuda.cudaMemcpy(target, array.ctypes.data, array.nbytes, to_device))

    return send


def staged(target: int, nbytes: int) -> Send:
    """Copied into a pinned buffer of its size, which is kept, and sent from there."""
    buffer, send_buffer = pinned(nbytes, "uint8"), direct(target)

    def send(array):
        numpy.copyto(buffer, array)
        send_buffer(buffer)

    return send


def staged_chunks(target: int) -> Send:
    """Copied chunk by chunk into two pinned buffers, one while the other one is being sent."""
    cuda = cuda_python.load()
    to_device = cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
    stream = check(cuda.cudaStreamCreateWithFlags(cuda.cudaStreamNonBlocking))
    events = [check(cuda.cudaEventCreateWithFlags(cuda.cudaEventDisableTiming)) for _ in range(2)]
    both = list(zip([pinned(CHUNK, "uint8") for _ in events], events, strict=True))

    def send(array):
        for start, (buffer, sent) in zip(range(0, array.nbytes, CHUNK), itertools.cycle(both)):
            chunk = array[start : start + CHUNK]
            check(cuda.cudaEventSynchronize(sent))  # the buffer's last chunk
            numpy.copyto(buffer[: chunk.nbytes], chunk)
            source = buffer.ctypes.data
            check(cuda.cudaMemcpyAsync(target + start, source, chunk.nbytes, to_device, stream))
            check(cuda.cudaEventRecord(sent, stream))

    return send


def staged_threads(threads: int, target: int, nbytes: int) -> Send:
    """Each of some threads does the same with a part: NumPy, copying, lets Python's lock go.

    They are kept, and run on all cores near the GPU that this process may use, among them its own:
    it waits meanwhile.
    """
    near = sched_getaffinity(0)
    if len(near) < threads:
        had = f"{len(near)} near the GPU"
        raise methods.Unusable(f"{threads} threads want as many cores, this process has {had}")
    pool = ThreadPoolExecutor(threads, initializer=quiet_core.move, initargs=(near,))
    size = -(-nbytes // threads)
    parts = [(slice(start, start + size), target + start) for start in range(0, nbytes, size)]
    senders = [(part, staged_chunks(address)) for part, address in parts]

    def send(array):
        for done in [pool.submit(send_part, array[part]) for part, send_part in senders]:
            done.result()

    return send


def registered_each_time(target: int) -> Send:
    """Page-locked where it lies, sent, and released."""
    send_locked = direct(target)

    def send(array):
        locked = Registered(array)
        send_locked(array)
        locked.release()

    return send


def pin_memory() -> Send:
    """What people write with PyTorch; `send` returns a new device array.

    Device memory and pinned memory come from pools. Those have them at once, when a first array of
    that size has been sent; what pinning costs that one, Pinning says.
    """
    torch = methods.loaded("torch").load()
    return lambda array: torch.from_numpy(array).pin_memory().cuda(non_blocking=True)


# By what takes the address and the bytes of the device memory. `registered` is `direct` of an array
# that is page-locked beforehand: what sending it costs if it lives long. How many threads there are
# is in the name, and so in every result.
INTO: dict[str, Callable[[int, int], Send]] = {
    "direct": lambda target, nbytes: direct(target),
    "staged": staged,
    "staged-chunks": lambda target, nbytes: staged_chunks(target),
    "staged-4-threads": functools.partial(staged_threads, 4),
    "staged-8-threads": functools.partial(staged_threads, 8),
    "registered-each-time": lambda target, nbytes: registered_each_time(target),
    "registered": lambda target, nbytes: direct(target),
}
WAYS = [*INTO, "pin-memory"]


class OrdinaryArray:
    """Sending an ordinary array of uint8 to the device, and the wait: seconds, lower is better.

    Parameters: the way (see WAYS) and the array's size in bytes. A process measures all ways of a
    size in turn; all send the same array, but `registered` one of its own, since the others' is to
    be pageable. The driver is asked about both, and every byte that arrived is compared.
    """

    version = "1"
    params = [WAYS, NBYTES]
    param_names = ["way", "nbytes"]

    def setup(self, level, way, nbytes):
        self.repeat = samples_of(nbytes)

    def time_warm(self, level, way, nbytes):
        """The same array again and again: in the CPU's caches, as far as they hold it."""
        timer.tick(sendings(level, way, nbytes, nbytes))

    def time_cold(self, level, way, nbytes):
        """One array after the other, out of so many that no cache holds them: from memory."""
        timer.tick(sendings(level, way, nbytes, APART))

    time_cold.params = [WAYS, [COLD]]  # type: ignore[attr-defined]  # asv reads it there


@functools.cache  # asv calls the benchmark once a sample
def sendings(level: float, asked: str, nbytes: int, apart: int) -> Iterator[float]:
    """The samples of the way `asked`, of a visit of all ways.

    Between two sendings of an array are `apart` bytes of others, or it is the only one.
    """
    makers = {way: functools.partial(series, way, nbytes, apart) for way in WAYS}
    return visit.samples(level, asked, makers, samples_of(nbytes), parameter="way")


def series(way: str, nbytes: int, apart: int) -> Series:
    device.start()
    library = methods.loaded("torch" if way == "pin-memory" else "cuda-python")
    if way == "registered":
        whole, memory = cuda_python.own_pages(apart), "pinned"
        checks.fill(whole)
        kept, arrays = Registered(whole), in_turn(whole, nbytes)
    else:
        whole, memory = pageable(apart, "uint8"), "pageable"
        kept, arrays = None, shared(nbytes, apart)
    device.require_memory(memory, whole, way)
    if way in INTO:
        target = cuda_python.DeviceArray(nbytes)
        send = INTO[way](target.pointer, nbytes)
    else:
        target, send = None, pin_memory()
    last: list[Any] = []

    def transfer() -> None:
        array = next(arrays)
        made = send(array)
        last[:] = array, target if made is None else made

    def check_last() -> None:
        device.require_memory(memory, whole, way)
        array, made = last
        checks.verify(array, device.parts(library.address(made), nbytes))

    take = functools.partial(timed, transfer, device.wait())
    return steady(take, check=check_last, source=whole, keep=kept)


def in_turn(whole: numpy.ndarray, nbytes: int) -> Iterator[numpy.ndarray]:
    """Its parts of `nbytes` bytes, one after the other, again and again."""
    starts = range(0, whole.nbytes, nbytes)
    return itertools.cycle([whole[start : start + nbytes] for start in starts])


@functools.cache  # what one way has sent, the next one would find in the caches
def shared(nbytes: int, apart: int) -> Iterator[numpy.ndarray]:
    """The arrays that all ways send in turn."""
    return in_turn(pageable(apart, "uint8"), nbytes)
