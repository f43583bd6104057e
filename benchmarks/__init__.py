"""How fast does a NumPy array reach the GPU? The asv suite.

What is measured: host_to_device.py (read it first), device_to_host.py, ordinary_array.py,
many_arrays.py, reference.py and cold_start.py. How: visit.py, and what it is made of: group.py,
series.py, in_turn.py, quiet_core.py, checks.py, device.py. With what: methods/. For asv: clock.py,
reasons.py. For scripts/hosts.py, not for asv: host_check.py.

asv's forkserver imports this package once and forks a child for every replicate. The four
libraries are imported here, before the fork, because imports are most of what a fresh process
costs (`import torch` alone takes seconds). Importing initialises nothing of CUDA, which must not
happen before a fork; tests/benchmarks/test_gpu.py proves it.
"""

import contextlib
import ctypes
import gc
import signal
import sys

from . import methods

if sys.argv[1:2] == ["run_server"]:  # asv/benchmark.py run_server BENCHMARKS SOCKET
    PR_SET_PDEATHSIG = 1  # from linux/prctl.h: do not outlive an asv that is killed
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for name in methods.REGISTRY:
        # What is missing or broken, the child says of each point.
        with contextlib.suppress(BaseException):
            methods.module(name).load()
    gc.freeze()  # to look through all of that for garbage takes a child a tenth of a second
