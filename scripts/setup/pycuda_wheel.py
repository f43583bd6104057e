"""Build PyCUDA, of which there is only source, on a host that has no CUDA toolkit.

CUDA's headers come from the wheels that the stack has just installed, the driver's library from the
driver; a toolkit, or an nvcc outside one, is not looked at. A wheel is built once for a stack and a
Python, and kept in .asv/wheels.
"""

import ctypes
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
from importlib import metadata
from pathlib import Path

from scripts.setup import children
from scripts.setup.environment import without_python

WHEELS = Path(__file__).resolve().parents[2] / ".asv" / "wheels"
HEADERS = "cuda.h", "cudaProfiler.h"
RUNTIME = "nvidia-cuda-runtime", "nvidia-cuda-runtime-cu12"  # bring cuda.h
LONGEST_BUILD = 3600  # seconds


def wheel(requirement: str, stack: str) -> Path:
    """The wheel of `requirement`, 'pycuda==VERSION', for this Python and the stack `stack`.

    OSError says what is missing to build it, or that the build failed.
    """
    headers = [one.version for one in metadata.distributions() if one.name in RUNTIME]
    kept = WHEELS / "-".join([stack, *headers, sys.implementation.cache_tag])
    kept.mkdir(parents=True, exist_ok=True)
    for path in kept.iterdir():  # what a build that was killed, or a full disk, has left
        if path.is_dir():
            if time.time() - path.stat().st_mtime > LONGEST_BUILD:
                shutil.rmtree(path)
        elif path.suffix == ".whl" and not whole(path):
            path.unlink()
    name = requirement.replace("==", "-") + "-*.whl"
    with tempfile.TemporaryDirectory(dir=kept) as home:
        if not list(kept.glob(name)):
            build(requirement, Path(home), kept / "build.log")
            (made,) = Path(home).glob(name)
            made.replace(kept / made.name)
    (found,) = kept.glob(name)
    return found


def whole(wheel: Path) -> bool:
    try:
        return zipfile.ZipFile(wheel).testzip() is None
    except zipfile.BadZipFile:
        return False


def build(requirement: str, folder: Path, log: Path) -> None:
    """Build into `folder`, which also serves as the HOME where PyCUDA looks for its settings."""
    if not shutil.which("g++"):
        raise OSError("there is no C++ compiler (g++) to build it with")
    settings = {
        "CUDA_ENABLE_CURAND": False,
        "CUDA_INC_DIR": header_folders(),
        "CUDADRV_LIB_DIR": [str(driver_library().parent)],
        "CUDADRV_LIBNAME": [":libcuda.so.1"],
    }
    lines = (f"{key} = {value!r}\n" for key, value in settings.items())
    (folder / ".aksetup-defaults.py").write_text("".join(lines))
    command = [sys.executable, "-m", "pip", "wheel", "-v", "--disable-pip-version-check"]
    # pip's own cache does not know for which CUDA a wheel was built.
    command += ["--no-deps", "--no-cache-dir", "--no-binary=pycuda", f"-w{folder}", requirement]
    print("Building PyCUDA; that takes minutes, once", flush=True)
    # Linkers drop a library that nothing refers to yet: then the import fails, far from here.
    own = {"HOME": str(folder), "LDFLAGS": "-Wl,--no-as-needed"}
    ours, end = {**without_python(os.environ), **own}, children.ending_with_us()
    with open(log, "w") as output:
        done = subprocess.run(command, stdout=output, stderr=output, env=ours, preexec_fn=end)
    if done.returncode:
        errors = re.findall("^(?:ERROR|error): .*", log.read_text(), re.MULTILINE)
        raise OSError(f"building it failed; {log} says why: {(errors or ['?'])[-1]}")


def header_folders() -> list[str]:
    """Where the stack's wheels have put CUDA's headers."""
    packages = Path(sysconfig.get_path("purelib"))
    found = {name: list(packages.glob(f"nvidia/*/include/{name}")) for name in HEADERS}
    missing = [name for name, paths in found.items() if not paths]
    if missing:
        raise OSError(f"no {' and no '.join(missing)} among the stack's wheels")
    return sorted({str(path.parent) for paths in found.values() for path in paths})


def driver_library() -> Path:
    """The file that libcuda.so.1 is loaded from."""
    ctypes.CDLL("libcuda.so.1")
    return Path(re.findall(r"/\S*/libcuda\.so\S*", Path("/proc/self/maps").read_text())[0])
