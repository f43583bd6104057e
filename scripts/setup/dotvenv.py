"""The project's own environment: .venv, with the pinned tools of requirements/dev.txt.

Everything here runs before anything is installed, so it uses the standard library only.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from scripts.words import one_line  # noqa: F401 - all scripts import this first

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
MADE = VENV / "made-from"  # the pins it was made from, written last
TABLES = "asv", "pandas", "rich", "scipy"  # the modules that scripts/compare.py needs
REQUIREMENTS = ROOT / "requirements" / "dev.txt"


def enter():
    """Go on in .venv's Python, made now if it is missing or its pins have changed."""
    if sys.version_info < (3, 11):
        sys.exit("Python 3.11 or later is needed; this is " + sys.version.split()[0])
    if Path(sys.prefix) == VENV:
        return
    root = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(root, fcntl.LOCK_EX)  # two first commands at once: one makes it
    pins = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not PYTHON.exists() or not MADE.exists() or MADE.read_text() != pins:
        try:
            make()
        except KeyboardInterrupt:
            sys.exit("Interrupted")
        MADE.write_text(pins)
    os.close(root)
    sys.stdout.flush()
    os.execv(PYTHON, [PYTHON, *sys.argv])


def missing(*modules):
    """Those of the modules that this Python does not have."""
    return [name for name in modules if not importlib.util.find_spec(name)]


def enter_for_tables(*others):
    """Go on in .venv's Python, unless this one has `others` and what tables of results need."""
    if missing(*TABLES, *others):
        enter()


def end_with_us():
    PR_SET_PDEATHSIG = 1  # from linux/prctl.h
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def make():
    if VENV.exists() and not MADE.exists():
        sys.exit(f"{VENV} is there and was not made by this project; move it away")
    shutil.rmtree(VENV, ignore_errors=True)
    VENV.mkdir(exist_ok=True)
    MADE.write_text("")  # ours, but not finished
    print("Making .venv with the tools in requirements/dev.txt", flush=True)
    commands = (
        [sys.executable, "-m", "venv", VENV],
        [PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", REQUIREMENTS],
    )
    for command in commands:
        # In a session of its own, so that an interrupt reaches us alone; and it ends when we do.
        with subprocess.Popen(command, start_new_session=True, preexec_fn=end_with_us) as process:
            try:
                code = process.wait()
            except KeyboardInterrupt:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise
        if code:
            sys.exit(f"Could not make {VENV}; what went wrong stands above")
