"""Install a stack, the pinned libraries of one commit, into the Python that runs this.

    python stack.py REQUIREMENTS        # the folder with host.txt, cu12.txt and cu13.txt

asv runs it for every commit it measures (install_command in asv.conf.json). Which stack, the
driver decides: none, and it is host.txt; else the newest CUDA that it supports.
"""

import ctypes
import subprocess
import sys
from pathlib import Path


def cuda_version():
    """The newest CUDA that this machine's driver supports, as (13, 0); None without a driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    version = ctypes.c_int()
    if driver.cuDriverGetVersion(ctypes.byref(version)):
        return None
    return version.value // 1000, version.value % 1000 // 10


def choose(version):
    """The stack's name for a driver that supports CUDA `version`."""
    if version is None:
        return "host"
    if version < (12, 0):
        sys.exit(
            f"This driver supports CUDA {version[0]}.{version[1]}; the stacks need 12.0 or newer"
        )
    return "cu12" if version < (13, 0) else "cu13"


def pip_install(*arguments):
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    return subprocess.run(command).returncode


def main(folder):
    requirements = Path(folder, choose(cuda_version()) + ".txt")
    if not requirements.is_file():
        sys.exit(f"This commit has no {requirements.name} in its requirements/: nothing to install")
    code = pip_install("-r", requirements)
    if code and "pycuda==" in requirements.read_text():
        # PyCUDA alone is built here, and needs a CUDA toolkit. The others do without it.
        print("PyCUDA could not be built; going on with the others", file=sys.stderr)
        others = requirements.with_suffix(".without-pycuda.txt")
        lines = requirements.read_text().splitlines()
        others.write_text("\n".join(line for line in lines if not line.startswith("pycuda==")))
        code = pip_install("-r", others)
    sys.exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
