"""Work that is shared out over the processors."""

import functools
import gc
import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

MANY = 100  # results files from which on it pays to start several processes


@functools.cache
def pool() -> ProcessPoolExecutor:
    """One for all: a process of it takes a second to start."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(mp_context=context, initializer=gc.disable)


def each(work: Callable[[Any], Any], items: Iterable[Any], chunk: int) -> list[Any]:
    """What `work` makes of each of `items`, `chunk` of them at a time in processes of their own."""
    return list(pool().map(work, items, chunksize=chunk))
