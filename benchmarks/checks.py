"""The bytes that are sent: fresh, and others for each check, so that a check is of what was sent.

A host array here is a one-dimensional NumPy array whose size in bytes is a multiple of 8.
"""

from collections.abc import Iterable, Iterator

import numpy

BLOCK = 4 << 20  # bytes that are worked on at once: more would need fresh pages each time
STEP = numpy.uint8(101)  # odd: 256 changes until bytes are what they were


def blocks(host: numpy.ndarray) -> Iterator[numpy.ndarray]:
    """The bytes of `host`, a block at a time."""
    raw = host.view(numpy.uint8)
    return (raw[start : start + BLOCK] for start in range(0, raw.nbytes, BLOCK))


def fill(host: numpy.ndarray) -> None:
    """Fill `host` with fresh random bytes: one block of them, to each other one its number added.

    A block in another one's place then differs in every byte, and 256 MiB do not take long.
    """
    first, *others = blocks(host)
    first.view(numpy.uint64)[:] = numpy.random.SFC64().random_raw(first.nbytes // 8)
    for number, block in enumerate(others, 1):
        numpy.add(first[: block.nbytes], numpy.uint8(number % 256), out=block)


def change(host: numpy.ndarray) -> None:
    """Change every byte of `host`: what is verified next, only later transfers can bring."""
    raw = host.view(numpy.uint8)
    numpy.add(raw, STEP, out=raw)


def verify(host: numpy.ndarray, arrived: Iterable[numpy.ndarray]) -> None:
    """ValueError unless the arrays `arrived`, one behind the other, hold the bytes of `host`."""
    sent = host.view(numpy.uint8)
    start = wrong = 0
    for part in arrived:
        expected, part = sent[start : start + part.nbytes], part.view(numpy.uint8)
        if not numpy.array_equal(expected.view(numpy.uint64), part.view(numpy.uint64)):
            wrong += int(numpy.count_nonzero(expected != part))
        start += part.nbytes
    wrong += sent.nbytes - start
    if wrong:
        raise ValueError(f"wrong bytes arrived: {wrong} of {sent.nbytes}")
