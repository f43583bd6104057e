"""What cannot be had is said with its reason: a library of no use, cores that may not be chosen."""

import subprocess
import sys
import types
from importlib import metadata

import numpy
import pytest
from asv_runner.benchmarks.mark import SkipNotImplemented

from benchmarks import device, methods, reference
from benchmarks.methods import cuda_python
from tests.conftest import ROOT, has_gpu


def said(tmp_path, name, **files):
    """What a fresh interpreter says when it loads the method `name`, with `files` beside it."""
    for path, text in files.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    code = f"""
import sys
sys.path[:0] = {[str(tmp_path), str(ROOT)]!r}
from benchmarks import methods
try:
    methods.loaded({name!r})
except methods.Unusable as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    return done.stdout.strip() + done.stderr.strip()


METADATA = "Metadata-Version: 2.1\nName: cuda-python\nVersion: 12.3.0\n"


def test_cuda_python_without_its_bindings_is_too_old(tmp_path):
    hidden = "raise ModuleNotFoundError('hidden', name='cuda.bindings')"
    files = {"cuda/__init__.py": "", "cuda/bindings/__init__.py": hidden}
    old = {"cuda_python-12.3.0.dist-info/METADATA": METADATA}
    told = said(tmp_path / "old", "cuda-python", **files, **old)
    if not list(metadata.distributions(name="cuda-bindings")):  # which is that of today
        assert "cuda-python 12.3.0 is too old: it has no cuda.bindings" in told
    told = said(tmp_path / "none", "cuda-python", **files)
    assert "cuda-python is not installed (no module cuda.bindings)" in told


def test_a_torch_without_cuda_says_so(tmp_path):
    text = "class version:\n    cuda = None\n__version__ = '2.10.0+cpu'"
    told = said(tmp_path, "torch", **{"torch/__init__.py": text})
    assert "torch 2.10.0+cpu is built without CUDA" in told


def test_a_torch_that_cannot_empty_its_pool_cannot_show_what_pinning_costs(monkeypatch):
    """Its transfers are measured; Pinning, which would measure the pool, is n/a."""
    torch = types.SimpleNamespace(
        __version__="2.4.1", version=types.SimpleNamespace(cuda="12.4"), _C=types.SimpleNamespace()
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(device, "start", lambda: None)
    monkeypatch.setattr(device, "require_memory", lambda *_: None)
    monkeypatch.setattr(methods.module("torch"), "pinned", numpy.empty)
    with pytest.raises(methods.Unusable, match=r"torch 2\.4\.1 cannot empty its pool"):
        reference.pinning("torch", 1024)
    emptied = []
    torch._C._host_emptyCache = lambda: emptied.append(1)
    assert reference.pinning("torch", 1024).count > 1
    assert len(emptied) > 1


@pytest.mark.skipif(has_gpu(), reason="its own driver would be asked")
def test_a_driver_that_cannot_hold_a_stream_back_has_no_link(monkeypatch):
    """As under WSL2; the names of cuda.bindings that the link needs, of a driver that refuses."""
    done = types.SimpleNamespace(
        cudaStreamCreateWithFlags=lambda flags: (0, 1),
        cudaStreamCreate=lambda: (0, 1),
        cudaEventCreate=lambda: (0, 1),
        cudaStreamNonBlocking=1,
        cudaMemcpyKind=types.SimpleNamespace(cudaMemcpyHostToDevice=1),
        cudaMemcpyAsync=lambda *words: (0,),
    )
    driver = types.ModuleType("cuda.bindings.driver")
    driver.CUstreamWaitValue_flags = types.SimpleNamespace(CU_STREAM_WAIT_VALUE_EQ=1)
    driver.cuStreamWaitValue32 = lambda *words: (reference.NOT_SUPPORTED,)
    bindings = types.ModuleType("cuda.bindings")
    bindings.driver, bindings.runtime = driver, done
    monkeypatch.setitem(sys.modules, "cuda", types.ModuleType("cuda"))
    monkeypatch.setitem(sys.modules, "cuda.bindings", bindings)
    monkeypatch.setitem(sys.modules, "cuda.bindings.driver", driver)
    monkeypatch.setattr(cuda_python, "load", lambda: done)
    monkeypatch.setattr(cuda_python, "pinned", numpy.empty)
    monkeypatch.setattr(cuda_python, "DeviceArray", lambda nbytes: types.SimpleNamespace(pointer=1))
    monkeypatch.setattr(device, "start", lambda: None)
    with pytest.raises(SkipNotImplemented, match="cannot hold a stream back"):
        reference.busy_link(1024)
