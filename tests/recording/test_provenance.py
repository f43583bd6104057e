"""Where results come from: the facts, the file beside a result, the command that shows them."""

import json
import os
import platform
import re
import subprocess
import sys

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts import provenance as provenance_command
from scripts.recording import facts, gpu, host, noise, provenance, software
from scripts.setup import gpu as device
from scripts.setup import stack
from scripts.tables import origin
from tests.conftest import ROOT, fake_driver, has_gpu

HARNESS = ("--bench", r"Harness.*none")


@given(st.sets(st.integers(0, 300), min_size=1))
def test_ranges_say_what_they_list(numbers):
    text = host.ranges(numbers)
    assert host.listed(text) == numbers
    assert host.listed(f"{text}\n") == numbers


def test_a_fact_that_cannot_be_had_is_absent():
    def missing():
        raise FileNotFoundError

    found = facts.collect({"there": lambda: 1, "unknown": lambda: None, "missing": missing})
    assert found == {"there": 1}


def test_a_run_records_where_its_numbers_come_from(measured):
    assert measured.run(*HARNESS).returncode == 0
    path = provenance.path_beside(measured.results())
    first, second = provenance.load(path)
    assert first["started"] < first["ended"] <= second["started"] < second["ended"]
    assert (first["processes"], second["processes"]) == (4, 2)
    found = second["facts"]
    assert found == first["facts"] or has_gpu()  # clocks under load may differ
    assert found["python"] == sys.version.split()[0]
    assert found["kernel"] == os.uname().release
    assert host.listed(found["cpu affinity"]) == os.sched_getaffinity(0)
    assert {"numpy", "asv", "huge pages", "virtualisation"} <= set(found)
    assert {"driver", "gpu uuid hash", "link generation"} & set(found) == set() or has_gpu()
    for place in (str(measured.path), str(measured.home), sys.prefix):
        assert place not in path.read_text()


def refused(project, said, **variables):
    """A run that is refused before it measures; what was recorded stays."""
    path = project.results()
    before = path.read_bytes(), provenance.path_beside(path).read_bytes()
    done = project.run(*HARNESS, **variables)
    assert done.returncode == 1
    last = done.stdout.splitlines()[-1]
    assert re.search(rf"{path.name} was measured with {said}. It stays as it is", last)
    assert (path.read_bytes(), provenance.path_beside(path).read_bytes()) == before


def test_a_result_of_other_libraries_is_not_replaced(measured):
    path = provenance.path_beside(measured.results())
    text = path.read_text()
    path.write_text(text.replace(f'"numpy": "{numpy.__version__}"', '"numpy": "1.0"'))
    refused(measured, f"numpy 1.0, and here it is {numpy.__version__}")


@pytest.mark.skipif(has_gpu(), reason="here the real driver would answer")
def test_a_result_of_another_gpu_is_not_replaced(project, tmp_path):
    """Also where NVML does not say which it is, and then the run is said to be doubtful."""
    done = project.run(*HARNESS, **fake_driver(tmp_path, 13000))
    assert done.returncode == 0
    assert "NVML does not answer" in done.stdout
    assert project.results().parent.name == "test-gpu"
    refused(project, "gpu uuid hash .*, and here it is .*", **fake_driver(tmp_path, 13000, uuid=8))


def test_a_run_that_measured_nothing_leaves_no_provenance(project):
    assert project.run("--bench", "Link.*1024", CUDA_VISIBLE_DEVICES="-1").returncode == 1
    assert not list(project.path.glob("results/*/*.jsonl"))


STARTED = '{"started": 1e999, "ended": null, "processes": null, "facts": {}}'


@pytest.mark.parametrize("content", ["half a li", "[]", '{"started": 1}', STARTED])
def test_a_broken_file_stops_a_run_before_it_measures(measured, content):
    before = measured.results().read_bytes()
    path = provenance.path_beside(measured.results())
    path.write_text(content)
    done = measured.run(*HARNESS)
    assert done.returncode == 1
    assert "Error parsing the provenance" in done.stdout.splitlines()[-1]
    assert measured.results().read_bytes() == before
    shown = measured.call(sys.executable, "scripts/provenance.py", measured.results().parent.name)
    assert shown.returncode == 1
    assert shown.stdout.count("\n") == 1
    assert "Error parsing the provenance" in shown.stdout


@pytest.mark.parametrize("beside", [noise.path_beside, provenance.path_beside])
def test_a_folder_in_a_files_place_stops_a_run_before_it_measures(measured, beside):
    before = measured.results().read_bytes()
    path = beside(measured.results())
    path.unlink()
    path.mkdir()
    done = measured.run(*HARNESS)
    assert done.returncode == 1
    assert "Is a directory" in done.stdout.splitlines()[-1]
    assert "Traceback" not in done.stdout
    assert measured.results().read_bytes() == before


def test_what_asv_rm_has_left_beside_no_result_is_of_nothing(measured):
    """The next result of that commit is of its own run alone."""
    path = measured.results()
    commit = json.loads(path.read_text())["commit_hash"]
    done = measured.asv("rm", "-y", f"commit_hash={commit}")
    assert done.returncode == 0, done.stdout
    assert not path.exists()
    beside = noise.path_beside(path), provenance.path_beside(path)
    assert all(one.exists() for one in beside)
    beside[0].write_text("broken")
    assert measured.run(*HARNESS).returncode == 0
    (run,) = provenance.load(beside[1])
    assert run["processes"] == 2
    assert {key[0] for key in noise.load(beside[0])} == {"reference.Harness.time_nothing"}


def test_versions_other_than_the_pins_are_said(project):
    host = project.path / "requirements" / "host.txt"
    host.write_text("numpy==1.0\n")
    project.git("commit", "-qam", "another pin")
    done = project.run(*HARNESS, STACK="host")
    assert done.returncode == 0
    assert "is installed; this commit's host.txt pins 1.0" in done.stdout
    host.write_text("numpy==!2\n")
    project.git("commit", "-qam", "a broken pin")
    done = project.run(*HARNESS, STACK="host")
    assert done.returncode == 0
    assert "This commit's host.txt is broken: " in done.stdout
    assert "Traceback" not in done.stdout


def test_pins_hold_for_a_python():
    lines = ["numpy==2.4.6 ; python_full_version < '3.12'", "    # via x", "", "torch==2.11.0"]
    lines += ["numpy==2.5.5 ; python_full_version >= '3.12'"]
    lines = "\n".join(lines)
    assert stack.pins(lines, "3.12.0") == {"numpy": "2.5.5", "torch": "2.11.0"}
    assert stack.pins(lines, "3.11.9") == {"numpy": "2.4.6", "torch": "2.11.0"}


def test_software_is_named_as_its_users_name_it():
    """Also a fifth method, of which nothing here knows."""
    command = [sys.executable, "-c", software.INSTALLED, ROOT]
    told = json.loads(subprocess.check_output(command))
    found = software.versions(told)
    methods = "cuda-python", "torch", "cupy", "pycuda"
    assert list(found) == ["python", "numpy", *methods, "cuda runtime"]
    assert (found["python"], found["numpy"]) == (platform.python_version(), numpy.__version__)
    packages = {"numpy": "2.5.0", "cupy-cuda13x": None, "cupy-cuda12x": "14.2.0", "jax": "1.0"}
    told = {"python": "3.12.1", "packages": packages, "methods": {"cupy": "14.2.0", "jax": "1.0"}}
    assert software.versions(told)["jax"] == "1.0"


BUSY = {
    "p-state": 0,
    "sm clock MHz": 1980,
    "link generation": 5,
    "link width": 16,
    "throttle reasons": [],
}


def test_the_worst_of_the_readings_is_what_is_recorded():
    slow = {**BUSY, "link generation": 1, "p-state": 2, "throttle reasons": ["hardware slowdown"]}
    assert gpu.summary([BUSY] * 3) == {
        **BUSY,
        "p-state": "P0",
        "throttle reasons": ["none"],
    }
    found = gpu.summary([BUSY, slow, {**BUSY, "sm clock MHz": 1000}, {}])
    assert found["p-state"] == "P2"
    assert found["link generation"] == 1
    assert found["sm clock MHz"] == 1980
    assert found["throttle reasons"] == ["hardware slowdown"]
    assert gpu.summary([]) == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, []),
        ({"throttle reasons": ["idle", "applications clocks"]}, []),
        ({"link generation": 3}, ["The link ran as Gen3 x16 under load; it can do PCIe Gen5"]),
        ({"link width": 8}, ["The link ran as Gen5 x8 under load; it can do PCIe Gen5 x16"]),
        ({"throttle reasons": ["hardware power brake"]}, ["throttled .*hardware power brake"]),
        ({"gpu uuid hash": "a", "driver": "580"}, []),
        ({"gpu uuid hash": "a"}, ["NVML does not answer"]),
    ],
)
def test_what_makes_numbers_doubtful_is_said(change, said):
    alarms = facts.alarms({**BUSY, **change, "machine link": "PCIe Gen5 x16"})
    assert len(alarms) == len(said)
    for alarm, pattern in zip(alarms, said, strict=True):
        assert re.search(pattern, alarm)


def test_without_a_link_to_compare_with_there_is_no_alarm():
    assert facts.alarms({}) == []


@pytest.mark.skipif(has_gpu(), reason="here the real driver would answer")
def test_a_driver_that_does_nothing_gives_no_readings(tmp_path, monkeypatch):
    for name, value in fake_driver(tmp_path, 13000).items():
        monkeypatch.setenv(name, value)
    assert gpu.readings_under_load(None) == []  # it has no cuMemHostAlloc


def two_results(folder):
    """Two commits on one machine, the second with another driver and one fact less."""
    path = folder / "vm" / "aaaaaaaa-existing-py3.12.provenance.jsonl"
    path.parent.mkdir()
    run = {"started": 1000, "ended": 2000, "processes": 4}
    found = {"driver": "580.1", "kernel": "6.1", "throttle reasons": ["none"], "ecc": "on"}
    path.write_text(json.dumps({**run, "facts": found}) + "\n")
    later = {**run, "started": 3000, "ended": None, "processes": None}
    del found["ecc"]
    lines = [json.dumps({**later, "facts": {**found, "driver": driver}}) for driver in ("1", "590")]
    lines[1] = lines[1].replace("3000", "4000")
    (path.parent / "bbbbbbbb-existing-py3.12.provenance.jsonl").write_text("\n".join(lines))


def test_a_result_and_the_difference_of_two(tmp_path, monkeypatch, capsys):
    two_results(tmp_path)
    monkeypatch.setattr(origin.find, "__defaults__", (tmp_path,))

    def said(*names):
        monkeypatch.setattr(sys, "argv", ["provenance.py", *names])
        provenance_command.main()
        return capsys.readouterr().out

    assert "580.1" in said("vm:aaaaaaaa")
    last = said("vm")  # measured last
    assert "590 (in another run: 1)" in last
    assert "1970-01-01 00:00:03 did not end; what it measured is among the next" in last
    assert last.startswith("vm:bbbbbbbb\n")
    both = said("vm:aaaaaaaa", "vm:bbbbbbbbcccc")
    assert [line.split() for line in both.splitlines() if "580.1" in line] == [
        ["driver", "580.1", "590"]
    ]
    assert ["ecc", "on", "-"] in [line.split() for line in both.splitlines()]
    assert "kernel" not in both
    assert said("vm", "vm") == "All recorded facts are the same\n"
    with pytest.raises(SystemExit, match="No provenance of 'vm:cc'; there is: vm:aaaaaaaa, vm:bbb"):
        said("vm:cc")
    (path,) = tmp_path.glob("vm/aaaa*")
    result = path.with_name(path.name.replace(".provenance.jsonl", ".json"))
    result.write_text(json.dumps({"commit_hash": "aaaaaaaa" + 32 * "b"}))
    assert "580.1" in said("vm:AAAAAAAABB")
    with pytest.raises(SystemExit, match="No provenance of 'vm:aaaaaaaac'"):
        said("vm:aaaaaaaac")
    path.with_name(path.name.replace("aaaaaaaa", "aabbbbbb")).write_bytes(path.read_bytes())
    with pytest.raises(SystemExit, match="Several commits 'aa' on vm; there are: aaaaaaaa, aabb"):
        said("vm:aa")
    later = json.loads(path.read_text()) | {"started": 9000}  # the commit in another environment
    other = path.with_name(path.name.replace("3.12", "3.11"))
    other.write_text(json.dumps(later | {"facts": {"driver": "600.2"}}))
    result.write_text(json.dumps({"commit_hash": None}))
    assert "600.2" in said("vm:aaaaaaaa")
    path.write_bytes(b"\xff\xfe")
    monkeypatch.setattr(sys, "argv", ["provenance.py", "vm:aaaaaaaa"])
    with pytest.raises(SystemExit, match=rf"{path.name}'"):
        provenance_command.main()


@pytest.mark.gpu
def test_the_facts_of_a_gpu(project):
    here = device.find()
    found = facts.collect(facts.GPU, here)
    assert set(found) >= {"driver", "cuda driver", "gpu uuid hash", "vbios", "ecc", "power limit W"}
    readings = gpu.readings_under_load(here)
    assert len(readings) == gpu.READINGS
    busy = gpu.summary(readings)
    print(found, busy, device.lasting(here))
    assert set(busy) == set(facts.BUSY)
    assert busy["p-state"] in ("P0", "P1", "P2")
    assert 1 <= busy["link width"] <= 16
    assert "idle" not in busy["throttle reasons"]
