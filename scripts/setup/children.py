"""Children that end with their parent, however it ends: nothing goes on measuring unasked."""

import ctypes
import os
import signal
from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # from linux/prctl.h
PRCTL = ctypes.CDLL(None).prctl  # looked up here: between fork and exec, little is safe to do


def ending_with_us(first: Callable[[], object] | None = None) -> Callable[[], None]:
    """A preexec_fn for Popen, called in the thread that lives longest; `first` is another one."""
    us = os.getpid()

    def in_child() -> None:
        if first:
            first()
        PRCTL(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != us:  # we died before the kernel knew
            os._exit(1)

    return in_child
