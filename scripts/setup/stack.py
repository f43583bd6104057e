"""Install a stack, the pinned libraries of one commit, into the Python that runs this.

    python stack.py REQUIREMENTS        # the folder with host.txt, cu12.txt and cu13.txt

asv runs it for every commit it measures (install_command in asv.conf.json). Which stack, the
driver decides: none, and it is host.txt; else the newest CUDA that it supports. STACK in the
environment overrides that (`bench.py --stack` sets it).
"""

import ctypes
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]  # asv calls this as a command

NEEDS = {"host": (0, 0), "cu12": (12, 0), "cu13": (13, 0)}  # what the driver must support
MISSING = "not-installed.json"  # in the environment: {method: why it is not there}
LIBRARIES = {"numpy", "torch", "cupy-cuda12x", "cupy-cuda13x", "cuda-python", "pycuda"}


def cuda_version():
    """The newest CUDA that this machine's driver supports, as (13, 0); None without a driver."""
    version = ctypes.c_int()
    try:
        if ctypes.CDLL("libcuda.so.1").cuDriverGetVersion(ctypes.byref(version)):
            return None
    except (OSError, AttributeError):  # no such library, or one that is no driver
        return None
    return version.value // 1000, version.value % 1000 // 10


def choose(version):
    """The stack's name for a driver that supports CUDA `version`; ValueError if it is too old."""
    if version is None:
        return "host"
    if version < (12, 0):
        supports = f"This driver supports CUDA {version[0]}.{version[1]}"
        raise ValueError(f"{supports}; the stacks need 12.0, driver 525 or newer")
    return "cu12" if version < (13, 0) else "cu13"


def chosen():
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


def pins(lines, python):
    """{name: version} of the requirements `lines` that hold for the Python version `python`."""
    from packaging.requirements import Requirement

    versions = {"python_full_version": python, "python_version": ".".join(python.split(".")[:2])}
    wanted = (Requirement(line) for line in lines if "==" in line and line[0] not in " #")
    return {
        pin.name: str(pin.specifier).removeprefix("==")
        for pin in wanted
        if pin.marker is None or pin.marker.evaluate(versions)
    }


def differences(installed, commit):
    """How the libraries in `installed`, {name: version}, differ from the pins of `commit`."""
    try:
        name = f"{chosen()}.txt"
    except ValueError:
        return  # no stack is for this driver
    show = ["git", "show", f"{commit}:requirements/{name}"]
    shown = subprocess.run(show, capture_output=True, text=True)
    try:
        pinned = pins(shown.stdout.splitlines(), installed["python"])
    except ValueError as error:
        yield f"This commit's {name} is broken: {str(error).splitlines()[0]}"
        return
    for library, version in pinned.items():
        there = installed.get(library, version)  # one that is missing is n/a
        if library in LIBRARIES and there.partition("+")[0] != version:
            yield f"{library} {there} is installed; this commit's {name} pins {version}"


def pip(*arguments):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command).returncode


def names(lines):
    return {line.split("==")[0] for line in lines if "==" in line}


def main(folder):
    from scripts.setup import pycuda_wheel

    try:
        stack = chosen()
    except ValueError as error:
        sys.exit(str(error))
    requirements = Path(folder, f"{stack}.txt")
    if not requirements.is_file():
        sys.exit(f"This commit has no {requirements.name} in its requirements/: nothing to install")
    lines = requirements.read_text().splitlines()
    # What the stack before this one brought, and this one lacks, must not be measured as its own.
    before = Path(sys.prefix, "stack.txt")
    old = names(before.read_text().splitlines()) if before.exists() else set()
    if gone := sorted(old - names(lines)):
        pip("uninstall", "-q", "-y", *gone)
    before.write_text("\n".join(lines))
    pycuda = [line for line in lines if line.startswith("pycuda==")]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as others:
        others.write("\n".join(line for line in lines if line not in pycuda))
        others.flush()
        if code := pip("install", "-r", others.name):
            sys.exit(code)
    missing = {}
    for requirement in pycuda:
        try:
            code = pip("install", "--no-deps", pycuda_wheel.wheel(requirement, stack))
        except OSError as error:  # the other three do without it
            missing["pycuda"] = str(error)
            pip("uninstall", "-q", "-y", "pycuda")
    Path(sys.prefix, MISSING).write_text(json.dumps(missing))
    sys.exit(code)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python stack.py REQUIREMENTS")
    main(sys.argv[1])
