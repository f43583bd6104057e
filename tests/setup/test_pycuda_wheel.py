"""PyCUDA built for real, with no CUDA toolkit: it must import as far as the missing driver.

On a GPU host it must transfer. The nvcc that may be on PATH is hidden there, and is left in sight
elsewhere: the build must not be misled by it.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, has_gpu

# Without what a host may put into every Python's way.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "CUDA_HOME")}
no_gpu = pytest.mark.skipif(has_gpu(), reason="here is a real driver: the GPU test builds")


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A Python with the header wheels and what PyCUDA needs, as the stack pins them."""
    folder = tmp_path_factory.mktemp("stack")
    subprocess.run([sys.executable, "-m", "virtualenv", "-q", folder], check=True)
    wanted = r"(nvidia-cuda-(runtime|profiler-api)|pytools|platformdirs|mako|siphash24|markupsafe"
    pins = (ROOT / "requirements" / "cu13.txt").read_text().splitlines()
    needed = [pin for pin in pins if re.match(wanted + r"|typing-extensions|numpy)==", pin)]
    python = folder / "bin" / "python"
    command = [python, "-m", "pip", "install", "-q", "--no-deps", *needed]
    subprocess.run(command, check=True, env=ENVIRONMENT)
    return python


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """The environment of a host whose driver's library is an empty one."""
    folder = tmp_path_factory.mktemp("driver")
    command = ["gcc", "-shared", "-o", folder / "libcuda.so.1", "-x", "c", os.devnull]
    subprocess.run(command, check=True)
    return {**ENVIRONMENT, "LD_LIBRARY_PATH": str(folder)}


def headers_in(log, stack):
    """Whether all of CUDA's headers that the compiler was shown are the stack's."""
    folders = set(re.findall(r"-I(\S*(?:cuda|nvidia)\S*)", log.read_text()))
    return folders and all(Path(stack).parent.parent in Path(f).parents for f in folders)


def install(stack, made):
    command = [stack, "-m", "pip", "install", "-q", "--no-deps", made]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL, env=ENVIRONMENT)


def wheel(stack, driver, folder, **variables):
    code = f"""
import pathlib
from scripts.setup import pycuda_wheel
pycuda_wheel.WHEELS = pathlib.Path({str(folder)!r})
print(pycuda_wheel.wheel("pycuda==2026.1", "cu13"))
"""
    return subprocess.run(
        [stack, "-c", code],
        cwd=ROOT,
        env={**driver, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.slow
@no_gpu
def test_it_builds_once_and_imports_up_to_the_driver(stack, driver, tmp_path):
    done = wheel(stack, driver, tmp_path, CXXFLAGS="-O0 -g0")  # sooner built
    assert done.returncode == 0, done.stdout
    made = Path(done.stdout.splitlines()[-1])
    stamp = made.stat().st_mtime_ns
    again = wheel(stack, driver, tmp_path, PATH="/nowhere")  # no compiler is needed now
    assert again.stdout.splitlines() == [str(made)]
    assert made.stat().st_mtime_ns == stamp
    assert {path.name for path in made.parent.iterdir()} == {made.name, "build.log"}
    assert headers_in(made.parent / "build.log", stack)
    install(stack, made)
    command = [stack, "-c", "import pycuda.gpuarray, pycuda.driver"]
    imported = subprocess.run(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert imported.stderr.rstrip().endswith(
        "ImportError: libcuda.so.1: cannot open shared object file: No such file or directory"
    )


@no_gpu
def test_what_is_missing_is_said_in_a_line(driver, tmp_path):
    done = wheel(sys.executable, driver, tmp_path, PATH="/nowhere")
    last = done.stdout.splitlines()[-1]
    assert last == "OSError: there is no C++ compiler (g++) to build it with"
    assert not list(tmp_path.rglob("*.whl"))


TRANSFER = """
import numpy, pycuda.autoinit
from pycuda import gpuarray
host = numpy.random.default_rng().integers(0, 256, 1 << 20, numpy.uint8)
assert gpuarray.to_gpu(host).get().tobytes() == host.tobytes()
print("arrived")
"""


@pytest.mark.gpu
def test_a_verified_transfer_without_a_toolkit(stack, tmp_path):
    folders = os.environ["PATH"].split(os.pathsep)
    hidden = os.pathsep.join(f for f in folders if not Path(f, "nvcc").exists())
    assert shutil.which("g++", path=hidden)
    done = wheel(stack, ENVIRONMENT, tmp_path, PATH=hidden)
    assert done.returncode == 0, done.stdout
    made = Path(done.stdout.splitlines()[-1])
    assert headers_in(made.parent / "build.log", stack)
    install(stack, made)
    command = [stack, "-c", TRANSFER]
    done = subprocess.run(command, env={**ENVIRONMENT, "PATH": hidden}, stdout=subprocess.PIPE)
    assert done.stdout == b"arrived\n"
