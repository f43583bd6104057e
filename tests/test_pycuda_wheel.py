"""PyCUDA built for real, with no CUDA toolkit: it must import as far as the missing driver."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, has_gpu


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A Python with the header wheels and what PyCUDA needs, as the stack pins them."""
    if has_gpu():
        pytest.skip("here PyCUDA is built for real use; this test stands in for the driver")
    folder = tmp_path_factory.mktemp("stack")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    wanted = r"(nvidia-cuda-(runtime|profiler-api)|pytools|platformdirs|mako|siphash24|markupsafe"
    pins = (ROOT / "requirements" / "cu13.txt").read_text().splitlines()
    needed = [pin for pin in pins if re.match(wanted + r"|typing-extensions|numpy)==", pin)]
    python = folder / "bin" / "python"
    command = [python, "-m", "pip", "install", "-q", "--no-deps", *needed]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return python


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """The environment of a host whose driver's library is an empty one."""
    folder = tmp_path_factory.mktemp("driver")
    command = ["gcc", "-shared", "-o", folder / "libcuda.so.1", "-x", "c", os.devnull]
    subprocess.run(command, check=True)
    return {**os.environ, "LD_LIBRARY_PATH": str(folder)}


def wheel(stack, driver, folder, **variables):
    code = f"""
import pathlib, pycuda_wheel
pycuda_wheel.WHEELS = pathlib.Path({str(folder)!r})
print(pycuda_wheel.wheel("pycuda==2026.1", "cu13"))
"""
    return subprocess.run(
        [stack, "-c", code],
        cwd=ROOT / "scripts",
        env={**driver, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_it_builds_once_and_imports_up_to_the_driver(stack, driver, tmp_path):
    done = wheel(stack, driver, tmp_path)
    assert done.returncode == 0, done.stdout
    made = Path(done.stdout.splitlines()[-1])
    stamp = made.stat().st_mtime_ns
    again = wheel(stack, driver, tmp_path, PATH="/nowhere")  # no compiler is needed now
    assert again.stdout.splitlines() == [str(made)]
    assert made.stat().st_mtime_ns == stamp
    assert {path.name for path in made.parent.iterdir()} == {made.name, "build.log"}
    command = [stack, "-m", "pip", "install", "-q", "--no-deps", made]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    command = [stack, "-c", "import pycuda.gpuarray, pycuda.driver"]
    imported = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    assert imported.stderr.rstrip().endswith(
        "ImportError: libcuda.so.1: cannot open shared object file: No such file or directory"
    )


def test_what_is_missing_is_said_in_a_line(stack, driver, tmp_path):
    done = wheel(stack, driver, tmp_path, PATH="/nowhere")
    last = done.stdout.splitlines()[-1]
    assert last == "OSError: there is no C++ compiler (g++) to build it with"
    assert not list(tmp_path.rglob("*.whl"))
