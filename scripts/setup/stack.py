"""Install a stack, the pinned libraries of one commit, into the Python that runs this.

    python stack.py REQUIREMENTS        # the folder with host.txt, cu12.txt and cu13.txt

asv runs it for every commit it measures (install_command in asv.conf.json). Which stack, the
driver decides: none, and it is host.txt; else the newest CUDA that it supports. STACK in the
environment overrides that (`bench.py --stack` sets it).
"""

import ctypes
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]  # asv calls this as a command

from scripts.setup import children, environment, git, progress
from scripts.setup import pins as requirements

NEEDS = {"host": (0, 0), "cu12": (12, 0), "cu13": (13, 0)}  # what the driver must support
MISSING = "not-installed.json"  # in the environment: {method: why it is not there}


def cuda_version() -> tuple[int, int] | None:
    """The newest CUDA that this machine's driver supports, as (13, 0); None without a driver."""
    version = ctypes.c_int()
    try:
        if ctypes.CDLL("libcuda.so.1").cuDriverGetVersion(ctypes.byref(version)):
            return None
    except (OSError, AttributeError):  # no such library, or one that is no driver
        return None
    return version.value // 1000, version.value % 1000 // 10


def choose(version: tuple[int, int] | None) -> str:
    """The stack's name for a driver that supports CUDA `version`; ValueError if it is too old."""
    if version is None:
        return "host"
    if version < (12, 0):
        supports = f"This driver supports CUDA {version[0]}.{version[1]}"
        raise ValueError(f"{supports}; the stacks need 12.0, driver 525 or newer")
    return "cu12" if version < (13, 0) else "cu13"


def chosen() -> str:
    """The stack's name: what the environment's STACK says, else what the driver decides.

    ValueError if there is no such stack, or if the driver is too old for it.
    """
    version, name = cuda_version(), os.environ.get("STACK")
    if not name:
        return choose(version)
    if name not in NEEDS:
        raise ValueError(f"There is no stack {name!r}; there are {', '.join(NEEDS)}")
    if version is not None and version < NEEDS[name]:
        supports = f"this driver supports {version[0]}.{version[1]}"
        raise ValueError(f"{name} needs a driver for CUDA {NEEDS[name][0]}; {supports}")
    return name


def pins(text: str, python: str) -> dict[str, str]:
    """{name: version} of the requirements in `text` that hold for the Python version `python`."""
    wanted = requirements.read(text)
    return {pin.name: pin.version for pin in wanted if requirements.hold(pin, python)}


def unlike(
    pinned: Mapping[str, str], installed: Mapping[str, str | None], file: str
) -> Iterator[str]:
    """Which of `installed`, {package: version or None}, are not as the commit's `file` pins."""
    for library, version in pinned.items():
        there = installed.get(library)  # one that is missing is n/a
        if there and not requirements.same(version, there):
            yield f"{library} {there} is installed; this commit's {file} pins {version}"


def differences(installed: Mapping[str, str | None], python: str, commit: str) -> Iterator[str]:
    """The same of the pins of the commit's stack for this driver and for `python`."""
    try:
        name = f"{chosen()}.txt"
    except ValueError:
        return  # no stack is for this driver
    try:
        text = git.text(commit, f"requirements/{name}", cwd=".")
        pinned = pins(text or "", python)
    except git.CannotSay as error:
        yield f"This commit's {name} cannot be read: {error}"
        return
    except ValueError as error:
        yield f"This commit's {name} is broken: {str(error).splitlines()[0]}"
        return
    yield from unlike(pinned, installed, name)


def pip(*arguments: str | Path) -> int:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    ours = environment.without_python(os.environ)
    return subprocess.run(command, env=ours, preexec_fn=children.ending_with_us()).returncode


def names(text: str) -> set[str]:
    return {pin.name for pin in requirements.read(text)}


def not_to_be_had(stack: str) -> dict[str, str]:
    """{library: why} of those that a stack pins in vain on this kind of machine."""
    if stack != "cu12" or platform.machine() == "x86_64":
        return {}
    here = platform.machine()
    return {"torch": f"for {here} it is not to be had with CUDA 12; with CUDA 13 it is (cu13)"}


def main(folder: str) -> None:
    from scripts.setup import pycuda_wheel

    try:
        stack = chosen()
    except ValueError as error:
        sys.exit(str(error))
    environment.clean()
    path = Path(folder, f"{stack}.txt")
    if not path.is_file():
        sys.exit(f"This commit has no {path.name} in its requirements/: nothing to install")
    text = path.read_text()
    try:
        pinned = {pin.line: pin for pin in requirements.read(text)}
    except ValueError as error:
        sys.exit(f"This commit's {path.name} is broken: {error}")
    missing = not_to_be_had(stack)
    apart = {line: pin for line, pin in pinned.items() if pin.name in {"pycuda", *missing}}
    wanted = [line for line in requirements.lines(text) if line not in apart]
    # What the stack before this one brought, and this one lacks, must not be measured as its own.
    before = Path(sys.prefix, "stack.txt")
    old = names(before.read_text()) if before.exists() else set()
    brought = {line: pin.name for line, pin in pinned.items() if pin.name not in missing}
    if gone := sorted(old - set(brought.values())):
        pip("uninstall", "-q", "-y", *gone)
    before.write_text("\n".join(brought))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as others:
        others.write("\n".join(wanted))
        others.flush()
        if code := pip("install", "--log", progress.log(Path(sys.prefix)), "-r", others.name):
            sys.exit(code)
    for pin in apart.values():
        if pin.name != "pycuda" or not requirements.hold(pin):
            continue
        try:
            made = pycuda_wheel.wheel(f"pycuda=={pin.version}", stack)
            code = pip("install", "--no-deps", made)
        except OSError as error:  # the other three do without it
            missing["pycuda"] = str(error)
            pip("uninstall", "-q", "-y", "pycuda")
    Path(sys.prefix, MISSING).write_text(json.dumps(missing))
    sys.exit(code)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python stack.py REQUIREMENTS")
    main(sys.argv[1])
