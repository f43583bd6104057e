"""The facts of the GPU, at rest and while it transfers; the functions get setup/gpu.py's Gpu."""

import hashlib
import re
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pynvml

from scripts.recording.facts import BUSY, GPU, collect, fact
from scripts.setup import children
from scripts.setup.gpu import UNANSWERED

LOAD = Path(__file__).with_name("gpu_load.py")
READINGS, INTERVAL = 15, 0.02  # of the busy GPU; seconds between them
BENIGN = {"idle", "applications clocks", "display clocks", "user-defined clocks", "sync boost"}


def without_nvml(facts):
    """Not known is not well: nobody has looked at the link, at throttling, at other processes."""
    if "gpu uuid hash" in facts and "driver" not in facts:
        return "NVML does not answer: nobody knows whether the GPU was throttled, or shared"
    return None


@fact("driver", GPU, without_nvml)
def driver(gpu):
    return pynvml.nvmlSystemGetDriverVersion()


@fact("cuda driver", GPU)
def cuda_driver(gpu):
    version = pynvml.nvmlSystemGetCudaDriverVersion_v2()
    return f"{version // 1000}.{version % 1000 // 10}"


@fact("gpu uuid hash", GPU)
def uuid_hash(gpu):
    """Tells two GPUs apart, and does not tell which they are."""
    kind = "MIG" if " MIG " in gpu.name else "GPU"  # as NVML writes it
    return hashlib.sha256(f"{kind}-{gpu.uuid}".encode()).hexdigest()[:12]


@fact("vbios", GPU)
def vbios(gpu):
    return pynvml.nvmlDeviceGetVbiosVersion(gpu.handle)


@fact("gpu numa node", GPU)
def gpu_numa_node(gpu):
    bus = pynvml.nvmlDeviceGetPciInfo(gpu.handle).busId  # 00000000:06:00.0; /sys has 0000:06:00.0
    node = int(Path("/sys/bus/pci/devices", bus[-12:].lower(), "numa_node").read_text())
    return node if node >= 0 else None


@fact("ecc", GPU)
def ecc(gpu):
    return "on" if pynvml.nvmlDeviceGetEccMode(gpu.handle)[0] else "off"


@fact("confidential computing", GPU)
def confidential_computing(gpu):
    return "on" if pynvml.nvmlSystemGetConfComputeState().ccFeature else "off"


@fact("power limit W", GPU)
def power_limit(gpu):
    return pynvml.nvmlDeviceGetEnforcedPowerLimit(gpu.handle) / 1000


def others_on(gpu):
    """How many processes have a CUDA context on the GPU, when none of ours is left."""
    try:
        return len(pynvml.nvmlDeviceGetComputeRunningProcesses(gpu.handle))
    except UNANSWERED:
        return 0  # not known


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


@fact("p-state", BUSY)
def p_state(gpu):
    return pynvml.nvmlDeviceGetPerformanceState(gpu.handle)


@fact("sm clock MHz", BUSY)
def sm_clock(gpu):
    return pynvml.nvmlDeviceGetClockInfo(gpu.handle, pynvml.NVML_CLOCK_SM)


@fact("memory clock MHz", BUSY)
def memory_clock(gpu):
    return pynvml.nvmlDeviceGetClockInfo(gpu.handle, pynvml.NVML_CLOCK_MEM)


def slow_link(facts):
    can = re.fullmatch(r"PCIe Gen(\d+) x(\d+)", facts.get("machine link") or "")
    generation, width = facts.get("link generation"), facts.get("link width")
    if not can or None in (generation, width):
        return None
    if generation >= int(can[1]) and width >= int(can[2]):
        return None
    return f"The link ran as Gen{generation} x{width} under load; it can do {can[0]}"


@fact("link generation", BUSY, slow_link)
def link_generation(gpu):
    return pynvml.nvmlDeviceGetCurrPcieLinkGeneration(gpu.handle)


@fact("link width", BUSY)
def link_width(gpu):
    return pynvml.nvmlDeviceGetCurrPcieLinkWidth(gpu.handle)


def was_throttled(facts):
    reasons = set(facts.get("throttle reasons", [])) - BENIGN - {"none"}
    if reasons:
        return f"The GPU was throttled while it transferred: {', '.join(sorted(reasons))}"
    return None


@fact("throttle reasons", BUSY, was_throttled)
def throttle_reasons(gpu):
    bits = pynvml.nvmlDeviceGetCurrentClocksThrottleReasons(gpu.handle)
    return [name for bit, name in REASONS.items() if bits & bit]


def readings_under_load(gpu):
    """READINGS readings of BUSY while another process keeps the link busy; [] if none can."""
    command = [sys.executable, str(LOAD)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, preexec_fn=children.ending_with_us(), **pipes) as load:
        if load.stdout.readline() != b"busy\n":
            return []
        taken = []
        for _ in range(READINGS):
            time.sleep(INTERVAL)
            taken.append(collect(BUSY, gpu))
        load.stdin.close()
    return taken


def summary(readings):
    """The facts of `readings`: median clocks, the worst P-state and link, every throttle reason."""
    columns = {name: [r[name] for r in readings if name in r] for name in BUSY}
    worst = {"p-state": lambda states: f"P{max(states)}", "link generation": min, "link width": min}
    worst["throttle reasons"] = lambda taken: sorted(set().union(*taken)) or ["none"]
    return {name: worst.get(name, median)(taken) for name, taken in columns.items() if taken}
