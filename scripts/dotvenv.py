"""The project's own environment: .venv, with the pinned tools of requirements/dev.txt.

Everything here runs before anything is installed, so it uses the standard library only.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements" / "dev.txt"


def enter():
    """Go on in .venv's Python, made now if it is missing or its pins have changed."""
    if sys.version_info < (3, 11):
        sys.exit("Python 3.11 or later is needed; this is " + sys.version.split()[0])
    if Path(sys.prefix) == VENV:
        return
    with open(REQUIREMENTS, "rb") as requirements:
        fcntl.flock(requirements, fcntl.LOCK_EX)  # two first commands at once: one makes it
        pins = hashlib.sha256(requirements.read()).hexdigest()
        made = VENV / "made-from"  # written last, so half an installation is made again
        if not PYTHON.exists() or not made.exists() or made.read_text() != pins:
            make()
            made.write_text(pins)
    sys.stdout.flush()
    os.execv(PYTHON, [PYTHON, *sys.argv])


def make():
    print("Making .venv with the tools in requirements/dev.txt", flush=True)
    commands = (
        [sys.executable, "-m", "venv", "--clear", VENV],
        [PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", REQUIREMENTS],
    )
    for command in commands:
        if subprocess.run(command).returncode:
            sys.exit(f"Could not make {VENV}; what went wrong stands above")
