"""Methods on the host in the place of the libraries."""

import pytest

from benchmarks import device, host_to_device, methods
from tests.benchmarks.fakes import Driver


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
