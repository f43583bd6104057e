"""Which cores this process may run on."""

import contextlib
import os
from collections.abc import Iterable


def move(cores: Iterable[int]) -> None:
    """Go to `cores`. Where that is refused, as by a sandbox, the process stays where it is.

    scripts/recording/host.py says so of a run ("choice of cores").
    """
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, cores)
