"""On a real GPU: the four methods, their memory, their bytes, and how near they come to C."""

import functools
import itertools
import json
import os
import shutil
import subprocess
import sys
from statistics import median
from time import perf_counter

import numpy
import pytest
from asv_runner.benchmarks.mark import SkipNotImplemented

from benchmarks import (
    checks,
    cold_start,
    device,
    host_to_device,
    methods,
    quiet_core,
    reasons,
    reference,
    visit,
)
from benchmarks.host_to_device import existing_array, new_array, series
from scripts.recording import noise
from tests.conftest import ROOT

pytestmark = pytest.mark.gpu

METHODS = list(methods.REGISTRY)
MEMORY = ["pageable", "pinned"]
MIB = 1 << 20


@pytest.fixture(scope="module")
def level():
    return quiet_core.quiet_level()


def samples(level, name, nbytes, make, *point):
    """The samples of a visit of one series, in seconds."""
    wanted = host_to_device.samples_of(nbytes)
    taken = visit.samples(level, name, {name: functools.partial(make, *point)}, wanted)
    return list(itertools.islice(taken, wanted))


def seconds(*series):
    return median(samples(*series))


@pytest.mark.parametrize("dtype", host_to_device.DTYPES)
@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("method", METHODS)
def test_bytes_arrive_in_new_and_existing_arrays(method, memory, dtype):
    device.start()
    library, wait = methods.loaded(method), device.wait()
    n = MIB // numpy.dtype(dtype).itemsize
    host = numpy.empty(n, dtype) if memory == "pageable" else library.pinned(n, dtype)
    assert (host.dtype, host.nbytes, device.memory_kind(host)) == (dtype, MIB, memory)
    new, (target, copy) = library.new_array(host), library.existing_array(host)
    for transfer in new, copy:
        checks.fill(host)
        made = transfer()
        wait()
        arrived = library.address(made if transfer is new else target)
        checks.verify(host, device.parts(arrived, MIB))


@pytest.mark.parametrize("method", METHODS)
def test_memory_that_is_not_what_its_label_says_fails(method, monkeypatch):
    monkeypatch.setattr(methods.module(method), "pinned", numpy.empty)
    with pytest.raises(TypeError, match="pageable memory where pinned"):
        series(existing_array, method, "pinned", "uint8", 1024)


@pytest.mark.parametrize("operation", [new_array, existing_array])
def test_a_transfer_that_moves_too_little_fails_alone(operation, monkeypatch, level, capsys):
    runtime = methods.loaded("cuda-python").load()
    monkeypatch.setattr(
        runtime,
        "cudaMemcpy",
        lambda to, source, nbytes, kind, real=runtime.cudaMemcpy: real(
            to, source, nbytes - (kind == kind.cudaMemcpyHostToDevice), kind
        ),
    )
    point = ("cuda-python", "pinned", "uint8", 65536)
    with pytest.raises(ValueError, match="wrong bytes arrived: 1 of 65536"):
        next(host_to_device.transfers.__wrapped__(operation, level, *point))
    note = json.loads(capsys.readouterr().out.removeprefix("note: "))
    assert {"failed"} == set(note["series"].pop("cuda-python"))
    assert all(len(told["seconds"]) == 25 for told in note["series"].values())


def test_importing_the_libraries_leaves_cuda_untouched():
    """What asv's forkserver does before it forks; a process that has called cuInit must not."""
    code = """
import ctypes, sys
sys.argv = ["benchmark.py", "run_server"]
import benchmarks
assert {"cuda.bindings.runtime", "torch", "cupy", "pycuda.gpuarray"} <= set(sys.modules)
print(ctypes.CDLL("libcuda.so.1").cuDeviceGetCount(ctypes.byref(ctypes.c_int())))
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "3\n"  # CUDA_ERROR_NOT_INITIALIZED


MODULES = {"cuda-python": "cuda.bindings"}  # where the module's name is not the method's


@pytest.mark.parametrize("method", METHODS)
def test_a_missing_library_stops_no_other(project, tmp_path, method):
    name = MODULES.get(method, method)
    hidden = tmp_path / "hide" / name.replace(".", "/") / "__init__.py"
    hidden.parent.mkdir(parents=True)
    hidden.write_text(f"raise ModuleNotFoundError('hidden', name={name!r})\n")
    path = os.pathsep.join(filter(None, [str(tmp_path / "hide"), os.environ.get("ASV_PYTHONPATH")]))
    bench = r"existing_array\(.*'pinned', 'float32', 1024\)"
    done = project.run("--bench", bench, "-a", "rounds=1", ASV_PYTHONPATH=path)
    assert done.returncode == 0, done.stdout
    assert f"1 point is n/a: {method} is not installed (no module {name})" in done.stdout
    assert "1 process measured" in done.stdout
    lines = noise.load(noise.path_beside(project.results()))
    assert {key[1] for key, line in lines.items() if "skipped" not in line} == {*METHODS} - {method}


def test_a_driver_without_a_device(project):
    bench = r"existing_array\(.*'pinned', 'float32', 1024\)"
    done = project.run("--bench", bench, CUDA_VISIBLE_DEVICES="-1")
    assert done.returncode == 1
    reason = "there is an NVIDIA driver, but no device"
    assert f"{len(METHODS)} points are n/a: {reason}" in done.stdout
    assert done.stdout.rstrip().endswith("Nothing was measured, and nothing recorded")


HOG = """
import sys
from benchmarks.methods import cuda_python
held, chunk = [], 1 << 33
while chunk >= 1 << 20:
    try:
        held.append(cuda_python.DeviceArray(chunk))
    except RuntimeError:
        chunk >>= 1
print("full", flush=True)
sys.stdin.read()
"""


def test_too_little_device_memory_is_not_a_failure(project):
    command = [sys.executable, "-c", HOG]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as hog:
        assert hog.stdout.readline() == "full\n"
        done = project.run("--bench", r"_array\(.*'pinned', 'float32', 268435456\)")
        hog.stdin.close()
    assert done.returncode == 1
    assert " failed" not in done.stdout
    assert "n/a: not enough memory" in done.stdout


@pytest.mark.parametrize("method", METHODS)
def test_too_little_host_memory_is_not_a_failure(method):
    device.start()
    allocate = methods.loaded(method).pinned
    with pytest.raises(Exception) as raised:  # noqa: PT011 - each library has its own
        allocate(1 << 48, "uint8")
    assert reasons.why_not(raised.value).startswith("not enough memory")


@pytest.fixture(scope="module")
def in_c(tmp_path_factory):
    """memcpy.c, compiled: in_c('loop' or 'link', nbytes) -> seconds."""
    nvcc = shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")
    if nvcc is None:
        pytest.skip("no nvcc on this machine")
    program = tmp_path_factory.mktemp("c") / "memcpy"
    subprocess.run([nvcc, "-O2", "-o", program, ROOT / "tests" / "memcpy.c"], check=True)

    def call(kind, nbytes):
        command = [program, kind, str(nbytes)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        return float(done.stdout)

    return call


def fastest_of_five(ours, c):
    """How many times longer ours takes than C's: on a shared host both vary by up to a tenth."""
    taken = [(ours(), c()) for _ in range(5)]  # in turn
    one, other = map(min, zip(*taken, strict=True))
    return one / other


@pytest.mark.parametrize("nbytes", [1024, 65536])
def test_cuda_python_is_near_a_loop_in_c(in_c, level, nbytes):
    point = (existing_array, "cuda-python", "pinned", "float32", nbytes)
    ratio = fastest_of_five(
        lambda: seconds(level, "a", nbytes, series, *point), lambda: in_c("loop", nbytes)
    )
    print(f"{nbytes} bytes: {ratio:.3f} times the loop in C")
    assert 0.9 < ratio < 1.35


def link(level, nbytes):
    return seconds(level, "link", nbytes, reference.busy_link, nbytes)


def test_the_link_is_what_c_and_device_events_say(in_c, level):
    nbytes = 256 * MIB
    ratio = fastest_of_five(lambda: link(level, nbytes), lambda: in_c("link", nbytes))
    print(f"the link: {ratio:.4f} times what C measures")
    assert ratio == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("method", METHODS)
def test_large_pinned_transfers_reach_the_ceiling(level, method):
    point = (existing_array, method, "pinned", "float32", 256 * MIB)
    share = link(level, 256 * MIB) / seconds(level, method, 256 * MIB, series, *point)
    print(f"{method}: {share:.4f} of the link")
    assert 0.97 < share < 1.02


@pytest.mark.parametrize("method", METHODS)
def test_an_array_is_pinned_anew_each_time(method, level):
    """Memory from a pool would be there in microseconds; CUDA's own allocation takes far longer."""
    nbytes = 32 * MIB
    anew = seconds(level, "a", nbytes, reference.pinning, "cuda-python", nbytes)
    share = seconds(level, "a", nbytes, reference.pinning, method, nbytes) / anew
    print(f"{method}: {share:.2f} of the {anew:.2e} s that cudaHostAlloc takes")
    assert share > 0.5
    library, kept = methods.module(method), []
    library.empty_pinned_pool()
    for _ in range(2):  # what the pool has, it gives at once
        kept.clear()
        start = perf_counter()
        kept.append(library.pinned(nbytes, "uint8"))
    pooled = (perf_counter() - start) / anew
    assert (pooled < 0.1) == (method in ("torch", "cupy")), pooled


@pytest.mark.parametrize("method", METHODS)
def test_a_fresh_interpreter_makes_a_first_transfer(method):
    said = cold_start.fresh_interpreter(method)
    print(f"{method}: {said}")
    assert set(said) == set(cold_start.STEPS)
    assert all(1e-6 < taken < 60 for taken in said.values())


@pytest.mark.parametrize("method", METHODS)
def test_what_is_installed_is_counted(method):
    distributions = methods.module(method).DISTRIBUTIONS
    try:
        assert cold_start.installed_bytes(method, distributions) > 20e6  # NumPy alone is more
    except SkipNotImplemented as reason:  # cuda.bindings may be there without cuda-python
        pytest.skip(str(reason))
