"""The project's own environment: .venv, with the pinned tools of requirements/dev.txt.

Everything here runs before anything is installed, so it uses the standard library only.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from scripts.setup import children, environment, pins, progress
from scripts.setup.environment import ROOT, VENV
from scripts.words import one_line  # noqa: F401 - all scripts import this first

PYTHON = VENV / "bin" / "python"
MADE = VENV / "made-from"  # what it was made from, and where: written last
# The modules that compare.py needs, and report.py beside them.
TABLES = "asv", "msgspec", "pandas", "rich", "scipy"
REPORT = "altair", "jinja2", "msgspec", "pandas", "scipy", "vl_convert"
REQUIREMENTS = ROOT / "requirements" / "dev.txt"

otherwise = environment.clean() or sys.flags.optimize
command = ROOT / "scripts" / Path(sys.argv[0]).name
if otherwise and command.is_file() and command.samefile(sys.argv[0]):
    os.execv(sys.executable, [sys.executable, *sys.argv])  # this Python began in the other one


def enter() -> None:
    """Go on in .venv's Python, made now if it is missing, or is not what it was made as."""
    if sys.version_info < (3, 11):
        sys.exit("Python 3.11 or later is needed; this is " + sys.version.split()[0])
    if Path(sys.prefix) == VENV and whole():
        return
    root = os.open(ROOT, os.O_RDONLY)
    with contextlib.suppress(OSError):  # a file system without locks
        fcntl.flock(root, fcntl.LOCK_EX)  # two first commands at once: one makes it
    if not whole():
        try:
            make()
        except KeyboardInterrupt:
            sys.exit("Interrupted")
    os.close(root)
    sys.stdout.flush()
    os.execve(PYTHON, [str(PYTHON), *sys.argv], environment.without_python(os.environ))


def whole() -> bool:
    """Is .venv there, made from these pins, in this folder, by the Python that it leads to now."""
    try:
        made, here = json.loads(MADE.read_text()), made_from()
        if Path(sys.prefix) != VENV:
            here["version"] = made["version"]  # which it is, its own Python looks
        return made == here
    except (OSError, ValueError, TypeError, KeyError):
        return False


def made_from() -> dict[str, str | list[str | int]]:
    """What .venv is made from: another of these, and it must be made again."""
    python = PYTHON.resolve(strict=True)
    there = python.stat()
    return {
        "pins": hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest(),
        "folder": str(VENV.resolve()),
        "python": [str(python), there.st_size, there.st_mtime_ns],
        "version": platform.python_version(),
    }


def missing(*modules: str) -> list[str]:
    """Those of the modules that this Python does not have."""
    return [name for name in modules if not importlib.util.find_spec(name)]


def enter_for_tables(*others: str) -> None:
    """Go on in .venv's Python, unless this one has `others` and what tables of results need."""
    enter_for(*TABLES, *others)


def enter_for(*needed: str) -> None:
    """Go on in .venv's Python, unless this one has the modules `needed`."""
    if missing(*needed) or (os.environ.get("PYTHONPATH") and not all(map(imported, needed))):
        enter()


def imported(module: str) -> bool:
    """Whether it can be: PYTHONPATH may lead to the packages of another Python."""
    try:
        return importlib.import_module(module) is not None
    except Exception:  # whatever a package does that finds itself in a Python of another version
        return False


def make() -> None:
    if VENV.exists() and not MADE.exists():
        sys.exit(f"{VENV} is there and was not made by this project; move it away")
    ours = Path(sys.prefix) == VENV
    python = sys._base_executable if ours else sys.executable  # type: ignore[attr-defined]
    if VENV.is_symlink():  # what it leads to may be in use elsewhere
        VENV.unlink()
    shutil.rmtree(VENV, ignore_errors=True)
    VENV.mkdir(exist_ok=True)
    MADE.write_text("")  # ours, but not finished
    print("Making .venv with the tools in requirements/dev.txt: a minute or two, once", flush=True)
    failed = f"Could not make {VENV}; what went wrong stands above"
    quietly = "-q", "--progress-bar=off", "--disable-pip-version-check"
    log = progress.log(VENV)
    commands: tuple[list[str | Path], ...] = (
        [python, "-m", "venv", VENV],
        [PYTHON, "-m", "pip", "install", *quietly, "--log", log, "-r", REQUIREMENTS],
        [PYTHON, "-I", pins.__file__, REQUIREMENTS],  # that it is there, and not elsewhere
    )
    python_alone, end = environment.without_python(os.environ), children.ending_with_us()
    for command in commands:
        with (
            progress.of_pip(VENV),
            subprocess.Popen(  # in a session of its own: an interrupt reaches us alone
                command, env=python_alone, preexec_fn=end, start_new_session=True
            ) as process,
        ):
            try:
                code = process.wait()
            except KeyboardInterrupt:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise
        if code and platform.machine() != "x86_64" and not shutil.which("g++"):
            sys.exit(f"{failed}. asv has no wheel for {platform.machine()}; g++ would build it")
        if code:
            sys.exit(failed)
    asked = "import platform; print(platform.python_version(), end='')"
    version = subprocess.check_output([PYTHON, "-I", "-c", asked], text=True)
    MADE.write_text(json.dumps(made_from() | {"version": version}))
