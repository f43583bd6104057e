"""Methods on the host in the place of the libraries, and a CUDA there in the place of the GPU's."""

import pytest

from benchmarks import device, host_to_device, methods, ordinary_array
from benchmarks.methods import cuda_python
from tests.benchmarks.fakes import Driver, Runtime

REQUIRE = device.require_memory


@pytest.fixture
def fake(monkeypatch, tmp_path):
    """fake(a=method(...), ...): these are the methods there are, and the device is the host."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(device, "driver", Driver)
    monkeypatch.setattr(device, "start", lambda: None)
    monkeypatch.setattr(device, "broken", lambda: bool(Driver.broken))
    monkeypatch.setattr(device, "wait", lambda: lambda: None)
    monkeypatch.setattr(device, "require_memory", lambda kind, host, name: None)
    host_to_device.pageable.cache_clear()

    def use(**modules):
        monkeypatch.setattr(methods, "REGISTRY", dict.fromkeys(modules, ""))
        monkeypatch.setattr(methods, "module", modules.__getitem__)

    return use


@pytest.fixture
def cuda(fake, monkeypatch):
    """CUDA's runtime on the host, which cuda-python finds, and which knows the memory's kinds."""
    runtime = Runtime()
    monkeypatch.setattr(cuda_python, "load", lambda: runtime)
    monkeypatch.setattr(device, "wait", lambda: runtime.cudaDeviceSynchronize)
    monkeypatch.setattr(device, "require_memory", REQUIRE)
    monkeypatch.setattr(device, "memory_kind", runtime.memory_kind)
    ordinary_array.shared.cache_clear()
    return runtime
