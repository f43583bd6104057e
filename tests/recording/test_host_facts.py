"""What of the host's side changes the numbers: the CPU quota of a cgroup, environment variables."""

import os
import subprocess
import sys
import uuid
from pathlib import Path
from types import SimpleNamespace

import pynvml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.recording import (
    cpu_share,
    facts,
    gpu,
    host,  # noqa: F401 - its facts
    provenance,
)
from scripts.recording.variables import HIDDEN, variables
from tests.conftest import ROOT, TINY


@pytest.fixture
def machine(tmp_path):
    """A function that makes a /proc/self and mounted cgroups; the former's path."""

    def make(cgroup, mounts, files):
        proc = tmp_path / "proc"
        proc.mkdir()
        (proc / "cgroup").write_text(cgroup)
        lines = [
            f"4{number} 30 0:29 {root} {tmp_path}/{point} rw,relatime shared:9 - {kind}\n"
            for number, (root, point, kind) in enumerate(mounts)
        ]
        (proc / "mountinfo").write_text("30 1 8:1 / / rw - ext4 /dev/root rw\n" + "".join(lines))
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return proc

    return make


V2 = "cgroup2 cgroup rw,nsdelegate"
V1 = "cgroup cgroup rw,cpu,cpuacct"
STAT_V2 = "usage_usec 5\nnr_periods 186\nnr_throttled 177\nthrottled_usec 12300000\n"
STAT_V1 = "nr_periods 186\nnr_throttled 177\nthrottled_time 12300000000\n"
STOPPED = {"cpu throttled periods": 177, "cpu throttled seconds": 12.3}
V1_QUOTA = {"cpu.cfs_quota_us": "150000\n", "cpu.cfs_period_us": "100000\n", "cpu.stat": STAT_V1}


def under(folder, files):
    return {f"{folder}/{name}": text for name, text in files.items()}


def test_a_quota_of_a_container(machine):
    """Version 2 in a namespace of its own, as Docker and Kubernetes have it."""
    files = {"c/cpu.max": "30000 100000\n", "c/cpu.stat": STAT_V2}
    proc = machine("0::/\n", [("/", "c", V2)], files)
    assert cpu_share.quota(proc) == "0.3 cores"
    assert cpu_share.throttled(proc) == STOPPED


def test_the_least_quota_of_all_levels_counts(machine):
    files = {
        "c/a.slice/cpu.max": "50000 100000\n",
        "c/a.slice/cpu.stat": STAT_V2,
        "c/a.slice/b.scope/cpu.max": "max 100000\n",
        "c/a.slice/b.scope/cpu.stat": STAT_V2.replace("177", "0").replace("12300000", "0"),
        "c/cpu.stat": "usage_usec 5\n",
        "c/other/cpu.max": "1000 100000\n",
    }
    proc = machine("0::/a.slice/b.scope\n", [("/", "c", V2)], files)
    assert cpu_share.quota(proc) == "0.5 cores"
    assert cpu_share.throttled(proc) == STOPPED


@pytest.mark.parametrize(("root", "point"), [("/docker/abc", "c"), ("/", "c"), ("/", "d\\040e")])
def test_a_quota_of_version_1(machine, root, point):
    """Docker without a namespace; the host's own view; a blank in a mount's name."""
    folder = point.replace("\\040", " ") + ("" if root != "/" else "/docker/abc")
    proc = machine(
        "4:cpu,cpuacct:/docker/abc\n3:cpuset:/other\n0::/docker/abc\n",
        [(root, point, V1), ("/", "set", "cgroup cgroup rw,cpuset"), ("/", "u", V2)],
        under(folder, V1_QUOTA),
    )
    assert cpu_share.quota(proc) == "1.5 cores"
    assert cpu_share.throttled(proc) == STOPPED


def test_without_a_quota(machine):
    files = {"c/x/cpu.max": "max 100000\n", "v/cpu.cfs_quota_us": "-1\n"}
    files["v/cpu.cfs_period_us"] = "100000\n"
    proc = machine("4:cpu:/\n0::/x\n", [("/", "c", V2), ("/", "v", V1)], files)
    assert cpu_share.quota(proc) == "none"
    assert cpu_share.throttled(proc) == {}


def test_without_cgroups(machine, tmp_path):
    proc = machine("", [], {})
    assert cpu_share.quota(proc) is None
    assert cpu_share.throttled(proc) == cpu_share.throttled(tmp_path / "none") == {}
    assert cpu_share.throttled_since({}, proc) == cpu_share.throttled_since(STOPPED, proc) == {}


def test_being_stopped_is_said_with_a_gpu_and_without():
    (alarm,) = facts.alarms({**STOPPED, "cpu quota": "0.3 cores", "seconds": 1000})
    said = "The CPU quota (0.3 cores) stopped what was measured 177 times, 12.3 s in all"
    assert alarm == said
    assert facts.alarms({**STOPPED, "seconds": 1300}) == []  # for less than a hundredth of it


def test_that_no_core_could_be_chosen_is_said(monkeypatch):
    assert "choice of cores" not in facts.collect(facts.HOST)

    def refused(*_):
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", refused)
    found = facts.collect(facts.HOST)
    assert found["choice of cores"] == "refused"
    (alarm,) = facts.alarms(found)
    assert "could move to a quiet core" in alarm


@pytest.fixture
def limited():
    """A cgroup of 30 ms of each 100 ms; skipped where none can be made."""
    for folder, limit in (
        ("/sys/fs/cgroup", {"cpu.max": "30000 100000"}),
        ("/sys/fs/cgroup/cpu", {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "30000"}),
    ):
        group = Path(folder, f"test-{uuid.uuid4().hex[:8]}")
        try:
            group.mkdir()
        except OSError:
            continue
        if all((group / name).exists() for name in limit):
            for name, value in limit.items():
                (group / name).write_text(value)
            break
        group.rmdir()
    else:
        pytest.skip("no cgroup with a CPU quota can be made here")
    yield group
    subprocess.run(["rmdir", group], check=True)


def test_a_run_that_was_stopped_says_so(project, limited):
    asv = f"{sys.executable} -m asv run --environment existing:same"
    quoted = " ".join(f"'{word}'" if "'" not in word else f'"{word}"' for word in TINY)
    done = project.call("sh", "-c", f"echo $$ > {limited}/cgroup.procs && exec {asv} {quoted}")
    assert done.returncode == 0, done.stdout
    assert "The CPU quota (0.3 cores) stopped what was measured " in done.stdout
    (run,) = provenance.load(provenance.path_beside(project.results()))
    assert run["facts"]["cpu quota"] == "0.3 cores"
    assert run["facts"]["cpu throttled periods"] > 0
    assert run["facts"]["cpu throttled seconds"] > 0


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("NUMPY_MADVISE_HUGEPAGE", "0", "0"),
        ("LD_PRELOAD", "/home/jo doe/libjemalloc.so.2 /a/liba.so:b.so", None),
        ("LD_PRELOAD", "/home/jo/libjemalloc.so.2 /a/liba.so", "libjemalloc.so.2:liba.so"),
        ("LD_PRELOAD", "/home/jo", HIDDEN),
        ("CUDA_INJECTION64_PATH", "/home/jo/libprofile.so", "libprofile.so"),
        ("CUDA_HOME", "jo", HIDDEN),
        ("CUDA_VISIBLE_DEVICES", "GPU-8932f937-d72c,1", f"GPU-{HIDDEN},1"),
        ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", "glibc.malloc.hugetlb=1"),
        ("MALLOC_CONF", "prof_prefix:/home/jo doe/x,narenas:1", f"prof_prefix:{HIDDEN},narenas:1"),
        ("PYTORCH_CUDA_ALLOC_CONF", "backend:cudaMallocAsync", "backend:cudaMallocAsync"),
        ("OMP_NUM_THREADS", "4\x1b[31m", HIDDEN),
        ("MKL_NUM_THREADS", "9" * 500, HIDDEN),
        ("OPENBLAS_NUM_THREADS", "", ""),
        ("CUPY_X", "https://jo:word@example.org", HIDDEN),
    ],
)
def test_a_variable_is_told_without_what_is_the_hosts_own(name, value, told):
    (said,) = variables({name: value, "HOME": "/home/jo", "PATH": "/usr/bin"})
    assert "jo" not in said.replace("jemalloc", "")
    assert told is None or said == f"{name}={told}"


def test_variables_that_change_nothing_are_not_told():
    ours = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert variables({"HOME": "/root", "CUDA_API_TOKEN": "x", "MALLOC_\x1b": "1", **ours}) is None
    assert len(variables({f"CUDA_{number}": "1" for number in range(99)})) == 40


@given(st.text(), st.sampled_from(["LD_PRELOAD", "CUDA_X", "MALLOC_CONF"]))
def test_no_value_has_a_path_or_a_control_character(value, name):
    (said,) = variables({name: value})
    assert "/" not in said
    assert said.isprintable()
    assert len(said) < 200


def test_a_run_records_the_variables(project):
    done = project.run(*TINY, NUMPY_MADVISE_HUGEPAGE="0", CUDA_CACHE_PATH=str(ROOT))
    assert done.returncode == 0, done.stdout
    path = provenance.path_beside(project.results())
    (run,) = provenance.load(path)
    assert {"NUMPY_MADVISE_HUGEPAGE=0", "CUDA_CACHE_PATH=..."} <= set(run["facts"]["variables"])
    assert str(ROOT) not in path.read_text()


def test_mps_is_a_fact_and_its_server_nobody_elses_process(monkeypatch):
    """As NVML lists them: the server of a Multi-Process Service, and who else is on the GPU."""
    names = {1: "/usr/bin/nvidia-cuda-mps-server", 2: "python3"}

    def name(pid):
        if pid not in names:  # of another container
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return names[pid]

    def on_the_gpu(*pids):
        running = [SimpleNamespace(pid=pid) for pid in pids]
        nvml = {"nvmlDeviceGetComputeRunningProcesses": lambda handle: running}
        for function, ours in (nvml | {"nvmlSystemGetProcessName": name}).items():
            monkeypatch.setattr(pynvml, function, ours)
        device = SimpleNamespace(handle=object())
        return gpu.others_on(device), gpu.mps(device)

    assert on_the_gpu() == (0, None)
    assert on_the_gpu(1) == (0, "on")
    assert on_the_gpu(1, 2, 3) == (2, "on")
    assert on_the_gpu(3) == (1, None)
