"""Work that is shared out over the processors."""

import gc
import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

MANY = 100  # results files from which on it pays to start several processes


def each(work: Callable[[Any], Any], items: Iterable[Any], chunk: int) -> list[Any]:
    """What `work` makes of each of `items`, `chunk` of them at a time in processes of their own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(mp_context=context, initializer=gc.disable) as pool:
        return list(pool.map(work, items, chunksize=chunk))
