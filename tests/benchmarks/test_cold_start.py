"""ColdStart and a fifth method, on a driver that does nothing: what asv records of a real run."""

from importlib import metadata

import numpy
import pytest

from benchmarks import cold_start
from scripts.recording import provenance
from tests.asv_plugin.test_suite import values
from tests.conftest import change, fake_driver, has_gpu

pytestmark = pytest.mark.skipif(has_gpu(), reason="here the real driver would answer")

FIFTH = '''"""A method that brings arrays to a device which is the host: NumPy."""

import numpy
from numpy import empty as pinned  # noqa: F401

DISTRIBUTIONS = ("numpy",)


def load():
    return numpy


def new_array(host):
    return lambda: numpy.array(host)


def existing_array(host):
    device = numpy.empty_like(host)
    return device, lambda: numpy.copyto(device, host)


def address(device):
    return device.ctypes.data


def empty_pinned_pool():
    pass
'''


@pytest.fixture
def driven(project, tmp_path):
    """The project with a fifth method, `fifth`, and a driver: (project, variables)."""
    (project.path / "benchmarks/methods/fifth.py").write_text(FIFTH)
    last = '"pycuda": "pycuda",'
    change(project, "benchmarks/methods/__init__.py", last, last + '"fifth": "fifth",')
    project.git("add", "-A")
    project.git("commit", "-qm", "a fifth method")
    return project, {**fake_driver(tmp_path, 13000), "STACK": "host"}


def steps(project):
    """{name of the benchmark: (value, samples)} of the fifth method."""
    names = ["time_import", "time_context", "time_copy", "time_total"]
    return {
        name: values(project.results(), f"cold_start.ColdStart.{name}")[("fifth",)]
        for name in names
    }


def test_the_steps_of_a_cold_start_add_up(driven):
    project, variables = driven
    done = project.run("--bench", "ColdStart", **variables)
    assert done.returncode == 0, done.stdout
    for method in "cuda-python", "torch", "cupy", "pycuda":
        assert f"n/a: {method} is not installed (no module" in done.stdout
        assert f"n/a: {method} is not installed (no package" in done.stdout
    assert "5 processes measured" in done.stdout  # and the bytes of the package that brings it
    (run,) = provenance.load(provenance.path_beside(project.results()))
    assert run["facts"]["fifth"] == numpy.__version__
    found = steps(project)
    samples = [found[f"time_{step}"][1] for step in cold_start.STEPS]
    assert [len(taken) for taken in samples] == [cold_start.SAMPLES] * 3
    total = found["time_total"][1]
    assert total == pytest.approx([sum(taken) for taken in zip(*samples, strict=True)], rel=1e-4)


def test_a_first_transfer_of_wrong_bytes_is_a_failure(driven):
    project, variables = driven
    change(project, "benchmarks/methods/fifth.py", "numpy.array(host)", "numpy.zeros_like(host)")
    done = project.run("--bench", "ColdStart.time_total", **variables)
    assert done.returncode == 1
    assert "wrong bytes arrived" in done.stdout


def test_more_cold_starts_than_were_measured_are_not_made_up(driven):
    project, variables = driven
    done = project.run("--bench", "ColdStart.time_copy", "-a", "repeat=6", **variables)
    assert done.returncode == 1
    assert "5 fresh interpreters were measured" in done.stdout


def test_a_fifth_method_is_measured_and_verified(driven):
    project, variables = driven
    bench = ("--bench", r"_array\('fifth', '.*', 'float32', 65536\)")
    done = project.run(*bench, **variables)
    assert done.returncode == 2  # its pinned memory is not
    assert "fifth gave pageable memory where pinned was asked for" in done.stdout
    for operation in "time_new_array", "time_existing_array":
        found = values(project.results(), f"host_to_device.HostToDevice.{operation}")
        assert set(found) == {("fifth", "pageable", "float32", 65536)}
    pinning = project.run("--bench", r"Pinning.*'fifth', 1024\)", **variables)
    assert pinning.returncode == 1
    assert "fifth gave pageable memory where pinned was asked for" in pinning.stdout


def test_an_installation_counts_what_it_requires():
    """The package `build`, here, with all that it requires, and NumPy, which every method needs."""
    names = "build", "packaging", "pyproject_hooks", "numpy"
    files = [file for name in names for file in metadata.distribution(name).files]
    assert cold_start.installed_bytes("a", ["build"]) == sum(map(cold_start.size, files))


def test_an_installation_counts_what_extras_bring(tmp_path, monkeypatch):
    """As torch requires cuda-toolkit[cudart], whose own requirements are all under extras."""
    requires = {
        "top": ['middle[one]; python_version > "3"', 'nothing; sys_platform == "win32"'],
        "middle": ['left; extra == "one"', 'right; extra == "two"'],
        "left": ["top"],
        "right": [],
        "numpy": [],
    }
    for name, wanted in requires.items():
        folder = tmp_path / f"{name}-1.dist-info"
        folder.mkdir()
        lines = [f"Requires-Dist: {requirement}" for requirement in wanted]
        head = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1", "Provides-Extra: one"]
        (folder / "METADATA").write_text("\n".join([*head, *lines]))
        (tmp_path / f"{name}.py").write_text("x" * 10 ** list(requires).index(name))
        (folder / "RECORD").write_text(f"{name}.py,,\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert cold_start.installed_bytes("a", ["top"]) == 10111  # all but `right`
