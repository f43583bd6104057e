"""On a real GPU: the four methods, their memory, their bytes, and how near they come to C."""

import itertools
import os
import shutil
import subprocess
import sys
from statistics import median

import pytest
from asv_runner.benchmarks.mark import SkipNotImplemented

from benchmarks import cold_start, device, host_to_device, measure, methods, reference
from tests.conftest import ROOT

pytestmark = pytest.mark.gpu

METHODS = list(methods.REGISTRY)
MEMORY = ["pageable", "pinned"]
MIB = 1 << 20


@pytest.fixture(scope="module")
def quiet():
    return measure.setup_cache()


@pytest.mark.parametrize("dtype", host_to_device.DTYPES)
@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("method", METHODS)
def test_bytes_arrive_in_new_and_existing_arrays(method, memory, dtype):
    library, host, target, copy = host_to_device.prepare(method, memory, dtype, MIB)
    assert (host.dtype, host.nbytes) == (dtype, MIB)
    wait = device.wait()
    new = library.new_array(host)
    for transfer in new, copy:
        measure.fill(host)
        sent = host.tobytes()
        made = transfer()
        wait()
        assert library.read(made if transfer is new else target).tobytes() == sent


@pytest.mark.parametrize("method", METHODS)
def test_memory_that_is_not_what_its_label_says_fails(method, monkeypatch):
    library = methods.module(method)
    monkeypatch.setattr(library, "pinned", library.pageable)
    with pytest.raises(TypeError, match="pageable memory where pinned"):
        host_to_device.prepare.__wrapped__(method, "pinned", "uint8", 1024)


@pytest.mark.parametrize("operation", ["new_array", "existing_array"])
def test_a_transfer_that_moves_too_little_fails(operation, monkeypatch, quiet):
    library = methods.module("cuda-python")
    runtime = library.load()
    monkeypatch.setattr(
        runtime,
        "cudaMemcpy",
        lambda to, source, nbytes, kind, real=runtime.cudaMemcpy: real(
            to, source, nbytes - (kind == kind.cudaMemcpyHostToDevice), kind
        ),
    )
    point = ("cuda-python", "pinned", "uint8", 65536)
    host_to_device.prepare.cache_clear()
    with pytest.raises(ValueError, match="wrong bytes arrived: 1 of 65536"):
        next(getattr(host_to_device, operation).__wrapped__(quiet, *point))
    host_to_device.prepare.cache_clear()


def test_a_transfer_that_stops_moving_fails(monkeypatch, quiet):
    """The bytes after the last sample are the samples' own, not those of an earlier transfer."""
    library, host, target, copy = host_to_device.prepare("torch", "pinned", "uint8", 65536)
    copy()
    check = lambda: measure.verify(host, library.read(target))  # noqa: E731
    with pytest.raises(ValueError, match="wrong bytes arrived: 65536 of 65536"):
        next(measure.samples(lambda: 1e-5, quiet, check))


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
    assert f"{len(METHODS) - 1} processes" in done.stdout


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


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("method", METHODS)
def test_too_little_host_memory_is_not_a_failure(method, memory):
    host_to_device.prepare(method, "pinned", "uint8", 1024)
    allocate = getattr(methods.module(method), memory)
    out_of_memory = pytest.raises(SkipNotImplemented, match="not enough memory")
    with out_of_memory, measure.out_of_memory_skipped():
        allocate(1 << 48, "uint8")


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


def seconds(benchmark, quiet, *point):
    return median(itertools.islice(benchmark.__wrapped__(quiet, *point), measure.SAMPLES))


@pytest.mark.parametrize("nbytes", [1024, 65536])
def test_cuda_python_is_near_a_loop_in_c(in_c, quiet, nbytes):
    point = ("cuda-python", "pinned", "float32", nbytes)
    ratio = seconds(host_to_device.existing_array, quiet, *point) / in_c("loop", nbytes)
    print(f"{nbytes} bytes: {ratio:.3f} times the loop in C")
    assert 0.9 < ratio < 1.35


def test_the_link_is_what_c_and_device_events_say(in_c, quiet):
    """The fastest of five each, in turn: on a shared host both vary by up to a tenth."""
    ours, c = [], []
    for _ in range(5):
        ours.append(seconds(reference.busy_link, quiet, 256 * MIB))
        c.append(in_c("link", 256 * MIB))
    ratio = min(ours) / min(c)
    print(f"the link: {ratio:.4f} times what C measures")
    assert ratio == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("method", METHODS)
def test_large_pinned_transfers_reach_the_ceiling(quiet, method):
    link = seconds(reference.busy_link, quiet, 256 * MIB)
    point = (method, "pinned", "float32", 256 * MIB)
    share = link / seconds(host_to_device.existing_array, quiet, *point)
    print(f"{method}: {share:.4f} of the link")
    assert 0.97 < share < 1.02


@pytest.mark.parametrize("method", METHODS)
def test_an_array_is_pinned_anew_each_time(method, quiet):
    """Memory from a pool would be there in microseconds; CUDA's own allocation takes far longer."""
    anew = seconds(reference.pinning, quiet, "cuda-python", 32 * MIB)
    share = seconds(reference.pinning, quiet, method, 32 * MIB) / anew
    print(f"{method}: {share:.2f} of the {anew:.2e} s that cudaHostAlloc takes")
    assert share > 0.5
    library, kept = methods.module(method), []
    library.empty_pinned_pool()
    for _ in range(2):  # what the pool has, it gives at once
        kept.clear()
        start = measure.perf_counter()
        kept.append(library.pinned(32 * MIB, "uint8"))
    pooled = (measure.perf_counter() - start) / anew
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
