"""Children that end with their parent, however it ends: nothing goes on measuring unasked."""

import ctypes
import os
import signal
from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # from linux/prctl.h
PRCTL = ctypes.CDLL(None).prctl  # looked up here: between fork and exec, little is safe to do


def ending_with_us() -> Callable[[], None]:
    """A preexec_fn for Popen, or for os.register_at_fork, which Popen with a preexec_fn heeds.

    The child ends with the thread that starts it: call it in the one that lives longest.
    """
    us = os.getpid()

    def in_child() -> None:
        nonlocal us
        PRCTL(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != us:  # we died before the kernel knew
            os._exit(1)
        us = os.getpid()  # of the children of one that goes on with this code

    return in_child
