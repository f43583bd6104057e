"""Libraries that are there but cannot be used: the reason says what is wrong with them."""

import subprocess
import sys
import types

import pytest

from benchmarks import methods
from tests.conftest import ROOT


def loaded(tmp_path, name, **files):
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
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


METADATA = "Metadata-Version: 2.1\nName: cuda-python\nVersion: 12.3.0\n"


def test_cuda_python_without_its_bindings_is_too_old(tmp_path):
    hidden = "raise ModuleNotFoundError('hidden', name='cuda.bindings')"
    files = {"cuda/__init__.py": "", "cuda/bindings/__init__.py": hidden}
    old = {"cuda_python-12.3.0.dist-info/METADATA": METADATA}
    said = loaded(tmp_path / "old", "cuda-python", **files, **old)
    if "is not installed" not in said:  # here the package cuda-bindings of today is
        assert said == "cuda-python 12.3.0 is too old: it has no cuda.bindings"
    said = loaded(tmp_path / "none", "cuda-python", **files)
    assert said == "cuda-python is not installed (no module cuda.bindings)"


def test_a_torch_without_cuda_says_so(tmp_path):
    text = "class version:\n    cuda = None\n__version__ = '2.10.0+cpu'"
    said = loaded(tmp_path, "torch", **{"torch/__init__.py": text})
    assert said == "torch 2.10.0+cpu is built without CUDA"


@pytest.fixture
def torch(monkeypatch):
    fake = types.SimpleNamespace(
        __version__="2.4.1", version=types.SimpleNamespace(cuda="12.4"), _C=types.SimpleNamespace()
    )
    monkeypatch.setitem(sys.modules, "torch", fake)
    return fake


def test_a_torch_that_cannot_empty_its_pool_does_without(torch):
    """Its transfers are measured; only Pinning, which would measure the pool, is n/a."""
    method = methods.loaded("torch")
    with pytest.raises(methods.Unusable, match=r"torch 2\.4\.1 cannot empty its pool"):
        method.empty_pinned_pool()
    emptied = []
    torch._C._host_emptyCache = lambda: emptied.append(1)
    method.empty_pinned_pool()
    assert emptied == [1]
