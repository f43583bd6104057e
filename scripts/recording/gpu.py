"""The facts of the GPU, at rest and while it transfers; the functions get setup/gpu.py's Gpu."""

import hashlib
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pynvml

from scripts.recording.facts import BUSY, GPU, Facts, collect, fact
from scripts.setup import children
from scripts.setup.gpu import UNANSWERED, Gpu
from scripts.words.formats import count

LOAD = Path(__file__).with_name("gpu_load.py")
READINGS, INTERVAL = 15, 0.02  # of the busy GPU; seconds between them
MPS_SERVER = "nvidia-cuda-mps-server"
OTHERS = "other processes"  # the most that were seen; absent if none was
BENIGN = {"idle", "applications clocks", "display clocks", "user-defined clocks", "sync boost"}


def without_nvml(facts: Facts) -> str | None:
    """Not known is not well: nobody has looked at the link, at throttling, at other processes."""
    if "gpu uuid hash" in facts and "driver" not in facts:
        return "NVML does not answer: nobody knows whether the GPU was throttled, or shared"
    return None


fact("driver", GPU, without_nvml)(lambda gpu: pynvml.nvmlSystemGetDriverVersion())
fact("vbios", GPU)(lambda gpu: pynvml.nvmlDeviceGetVbiosVersion(gpu.handle))
fact("power limit W", GPU)(lambda gpu: pynvml.nvmlDeviceGetEnforcedPowerLimit(gpu.handle) / 1000)


@fact("cuda driver", GPU)
def cuda_driver(gpu: Gpu) -> str:
    version = pynvml.nvmlSystemGetCudaDriverVersion_v2()
    return f"{version // 1000}.{version % 1000 // 10}"


@fact("gpu uuid hash", GPU)
def uuid_hash(gpu: Gpu) -> str:
    """Tells two GPUs apart, and does not tell which they are."""
    kind = "MIG" if " MIG " in gpu.name else "GPU"  # as NVML writes it
    return hashlib.sha256(f"{kind}-{gpu.uuid}".encode()).hexdigest()[:12]


@fact("gpu numa node", GPU)
def gpu_numa_node(gpu: Gpu) -> int | None:
    bus = pynvml.nvmlDeviceGetPciInfo(gpu.handle).busId  # 00000000:06:00.0; /sys has 0000:06:00.0
    node = int(Path("/sys/bus/pci/devices", bus[-12:].lower(), "numa_node").read_text())
    return node if node >= 0 else None


@fact("ecc", GPU)
def ecc(gpu: Gpu) -> str:
    return "on" if pynvml.nvmlDeviceGetEccMode(gpu.handle)[0] else "off"


@fact("confidential computing", GPU)
def confidential_computing(gpu: Gpu) -> str:
    return "on" if pynvml.nvmlSystemGetConfComputeState().ccFeature else "off"


def processes_on(gpu: Gpu) -> list[str]:
    """The names of the processes that have a CUDA context on the GPU; '' where nobody says it."""
    try:
        running = pynvml.nvmlDeviceGetComputeRunningProcesses(gpu.handle)
    except UNANSWERED:
        return []  # not known
    names = []
    for process in running:
        try:
            names.append(pynvml.nvmlSystemGetProcessName(process.pid))
        except UNANSWERED:
            names.append("")
    return names


def others_on(gpu: Gpu) -> int:
    """How many processes use the GPU, when none of ours is left; MPS's server is none."""
    return sum(not name.endswith(MPS_SERVER) for name in processes_on(gpu))


@fact("mps", GPU)
def mps(gpu: Gpu) -> str | None:
    """Whether CUDA's calls go through a Multi-Process Service, whose server stays on the GPU."""
    return "on" if any(name.endswith(MPS_SERVER) for name in processes_on(gpu)) else None


def was_shared(facts: Facts) -> str | None:
    if others := facts.get(OTHERS):
        had = count(others, "other process", "other processes")
        return f"{had} had the GPU too, before or after this run"
    return None


fact(OTHERS, GPU, was_shared)(lambda gpu: others_on(gpu) or None)


# While it transfers -----------------------------------------------------------------------------

REASONS = {  # nvml.h: nvmlClocksEventReasons
    0x1: "idle",
    0x2: "applications clocks",
    0x4: "software power cap",
    0x8: "hardware slowdown",
    0x10: "sync boost",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "hardware power brake",
    0x100: "display clocks",
}


fact("p-state", BUSY)(lambda gpu: pynvml.nvmlDeviceGetPerformanceState(gpu.handle))
fact("sm clock MHz", BUSY)(
    lambda gpu: pynvml.nvmlDeviceGetClockInfo(gpu.handle, pynvml.NVML_CLOCK_SM)
)
fact("memory clock MHz", BUSY)(
    lambda gpu: pynvml.nvmlDeviceGetClockInfo(gpu.handle, pynvml.NVML_CLOCK_MEM)
)


def slow_link(facts: Facts) -> str | None:
    can = re.fullmatch(r"PCIe Gen(\d+) x(\d+)", facts.get("machine link") or "")
    generation, width = facts.get("link generation"), facts.get("link width")
    if not can or generation is None or width is None:
        return None
    if generation >= int(can[1]) and width >= int(can[2]):
        return None
    return f"The link ran as Gen{generation} x{width} under load; it can do {can[0]}"


fact("link generation", BUSY, slow_link)(
    lambda gpu: pynvml.nvmlDeviceGetCurrPcieLinkGeneration(gpu.handle)
)
fact("link width", BUSY)(lambda gpu: pynvml.nvmlDeviceGetCurrPcieLinkWidth(gpu.handle))


def was_throttled(facts: Facts) -> str | None:
    reasons = set(facts.get("throttle reasons", [])) - BENIGN - {"none"}
    if reasons:
        return f"The GPU was throttled while it transferred: {', '.join(sorted(reasons))}"
    return None


@fact("throttle reasons", BUSY, was_throttled)
def throttle_reasons(gpu: Gpu) -> list[str]:
    bits = pynvml.nvmlDeviceGetCurrentClocksThrottleReasons(gpu.handle)
    return [name for bit, name in REASONS.items() if bits & bit]


def readings_under_load(gpu: Gpu) -> list[dict[str, Any]]:
    """READINGS readings of BUSY while another process keeps the link busy; [] if none can."""
    pipe, end = subprocess.PIPE, children.ending_with_us()
    with subprocess.Popen(
        [sys.executable, LOAD], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, preexec_fn=end
    ) as load:
        assert load.stdin
        assert load.stdout
        if load.stdout.readline() != b"busy\n":
            return []
        taken = []
        for _ in range(READINGS):
            time.sleep(INTERVAL)
            taken.append(collect(BUSY, gpu))
        load.stdin.close()
    return taken


def summary(readings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The facts of `readings`: median clocks, the worst P-state and link, every throttle reason."""
    columns = {name: [r[name] for r in readings if name in r] for name in BUSY}
    worst: dict[str, Callable[[list[Any]], Any]] = {
        "p-state": lambda states: f"P{max(states)}",
        "link generation": min,
        "link width": min,
        "throttle reasons": lambda taken: sorted(set().union(*taken)) or ["none"],
    }
    return {name: worst.get(name, median)(taken) for name, taken in columns.items() if taken}
