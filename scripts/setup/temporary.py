"""One folder for all temporary files of a run, which the next run clears if this one is killed."""

import atexit
import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "to-gpu-"
# Unix sockets' names end at 107 bytes, and asv's longest below us is
# to-gpu-12345678/asv-forkserver-12345678/socket.
LONGEST = 107 - len("/to-gpu-12345678/asv-forkserver-12345678/socket")
SHORT = "/tmp", "/var/tmp", "/dev/shm"


def use() -> None:
    """Make this run's folder, and let this process and all that it starts put theirs into it.

    It is where TMPDIR says, or where Python would: the first place that takes a file. OSError if
    there is none.
    """
    wanted = tempfile.gettempdir()
    if Path(wanted).name.startswith(PREFIX):  # the run's that started us
        return
    for place in [wanted] * (len(os.fsencode(wanted)) <= LONGEST) + [*SHORT]:
        clear(place)
        try:
            folder = made(place)
            break
        except OSError:
            if place == SHORT[-1]:
                raise
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["TMPDIR"] = tempfile.tempdir = folder


def made(place: str) -> str:
    """A new folder in `place`, locked to the end of this process."""
    folder = ""
    while not os.path.isdir(folder):  # another run may have cleared it before it was locked
        folder = tempfile.mkdtemp(prefix=PREFIX, dir=place)
        with contextlib.suppress(OSError):
            fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX)
    return folder


def clear(place: str) -> None:
    """Remove the folders of runs that have ended; the lock says which, in all containers."""
    for folder in Path(place).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody else's, in use, or gone
            held = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(held).st_uid == os.getuid():
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(held)
