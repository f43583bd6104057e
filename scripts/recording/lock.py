"""One writer of a file at a time, whoever it is and wherever it runs."""

import fcntl
import os
from pathlib import Path


class Held(Exception):
    """Another process writes it."""


def hold(path: str | Path) -> int:
    """Lock the file `path`, which need not be there, until this process ends or releases it.

    The lock is one of fcntl on a file beside it: it ends with the process, however that ends, and
    holds between containers and, through NFS, between hosts; where there are no locks, there is
    none. Returns what `release` takes. Held if another process has it.
    """
    beside = Path(f"{path}.lock")
    beside.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            os.close(descriptor)
            raise Held(f"another run is measuring into {path}; wait for it") from None
        except OSError:  # a file system without locks
            return descriptor
        try:
            if os.path.samestat(os.fstat(descriptor), os.stat(beside)):
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)  # who had it before has just removed it


def release(path: str | Path, descriptor: int) -> None:
    """Let the next writer in, and leave nothing behind."""
    Path(f"{path}.lock").unlink(missing_ok=True)
    os.close(descriptor)
