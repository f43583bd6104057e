"""What a result depends on and what may change under a machine: one small function for each fact.

A fact that cannot be had is absent from what `collect` and its like return; none is guessed. The
names are those that provenance.py shows. Sources: NVML, /proc and /sys.
"""

import hashlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pynvml

from . import cpu_share
from .cpu_share import throttled, throttled_since  # noqa: F401 - for begin and end of a run
from .variables import variables

LOAD = Path(__file__).with_name("gpu_load.py")
READINGS, INTERVAL = 15, 0.02  # of the busy GPU; seconds between them
BENIGN = {"idle", "applications clocks", "display clocks", "user-defined clocks", "sync boost"}


def collect(functions, *arguments):
    """{name: value} of `functions`, {name: function}, each called with `arguments`."""
    found = {}
    for name, function in functions.items():
        try:
            value = function(*arguments)
        except (OSError, ValueError, TypeError, AttributeError, pynvml.NVMLError):
            continue
        if value is not None:
            found[name] = value
    return found


# The host ---------------------------------------------------------------------------------------


def ranges(numbers):
    """{0, 1, 2, 5} -> '0-2,5'"""
    numbers = sorted(numbers)
    starts = [n for n in numbers if n - 1 not in numbers]
    ends = [n for n in numbers if n + 1 not in numbers]
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))


def listed(text):
    """'0-2,5' -> {0, 1, 2, 5}"""
    parts = [part.split("-") for part in text.strip().split(",") if part]
    return {n for part in parts for n in range(int(part[0]), int(part[-1]) + 1)}


def affinity():
    return ranges(os.sched_getaffinity(0))


def numa_nodes():
    """The nodes of the cores that the processes may run on."""
    allowed = os.sched_getaffinity(0)
    nodes = Path("/sys/devices/system/node").glob("node[0-9]*/cpulist")
    near = {int(path.parent.name[4:]) for path in nodes if listed(path.read_text()) & allowed}
    return ranges(near) or None


def huge_pages():
    """'madvise': when the kernel makes huge pages of ordinary memory, which NumPy asks it to."""
    text = Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text()
    return re.search(r"\[(\w+)\]", text)[1]


def virtualisation():
    """'none', or that this is a virtual machine, and of which make where the firmware says."""
    flags = re.search(r"^flags\s*:(.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)[1]
    if "hypervisor" not in flags.split():
        return "none"
    try:
        return f"virtual machine ({Path('/sys/class/dmi/id/sys_vendor').read_text().strip()})"
    except OSError:
        return "virtual machine"


HOST = {
    "kernel": lambda: os.uname().release,
    "cpu affinity": affinity,
    "choice of cores": cpu_share.choice_of_cores,
    "process numa nodes": numa_nodes,
    "huge pages": huge_pages,
    "virtualisation": virtualisation,
    "cpu quota": cpu_share.quota,
    "variables": variables,
}


# The GPU ----------------------------------------------------------------------------------------


def cuda_driver(gpu):
    version = pynvml.nvmlSystemGetCudaDriverVersion_v2()
    return f"{version // 1000}.{version % 1000 // 10}"


def uuid_hash(gpu):
    """Tells two GPUs apart, and does not tell which they are."""
    return hashlib.sha256(pynvml.nvmlDeviceGetUUID(gpu).encode()).hexdigest()[:12]


def gpu_numa_node(gpu):
    bus = pynvml.nvmlDeviceGetPciInfo(gpu).busId  # 00000000:06:00.0; the system has 0000:06:00.0
    node = int(Path("/sys/bus/pci/devices", bus[-12:].lower(), "numa_node").read_text())
    return node if node >= 0 else None


def ecc(gpu):
    return "on" if pynvml.nvmlDeviceGetEccMode(gpu)[0] else "off"


def confidential_computing(gpu):
    return "on" if pynvml.nvmlSystemGetConfComputeState().ccFeature else "off"


GPU = {
    "driver": lambda gpu: pynvml.nvmlSystemGetDriverVersion(),
    "cuda driver": cuda_driver,
    "gpu uuid hash": uuid_hash,
    "vbios": lambda gpu: pynvml.nvmlDeviceGetVbiosVersion(gpu),
    "gpu numa node": gpu_numa_node,
    "ecc": ecc,
    "confidential computing": confidential_computing,
    "power limit W": lambda gpu: pynvml.nvmlDeviceGetEnforcedPowerLimit(gpu) / 1000,
}


def others_on(gpu):
    """How many processes have a CUDA context on the GPU, when none of ours is left."""
    try:
        return len(pynvml.nvmlDeviceGetComputeRunningProcesses(gpu))
    except pynvml.NVMLError:
        return 0  # not known


# The GPU while it transfers ---------------------------------------------------------------------

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


def throttle_reasons(gpu):
    bits = pynvml.nvmlDeviceGetCurrentClocksThrottleReasons(gpu)
    return [name for bit, name in REASONS.items() if bits & bit]


READ_BUSY = {
    "p-state": lambda gpu: pynvml.nvmlDeviceGetPerformanceState(gpu),
    "sm clock MHz": lambda gpu: pynvml.nvmlDeviceGetClockInfo(gpu, pynvml.NVML_CLOCK_SM),
    "memory clock MHz": lambda gpu: pynvml.nvmlDeviceGetClockInfo(gpu, pynvml.NVML_CLOCK_MEM),
    "link generation": lambda gpu: pynvml.nvmlDeviceGetCurrPcieLinkGeneration(gpu),
    "link width": lambda gpu: pynvml.nvmlDeviceGetCurrPcieLinkWidth(gpu),
    "throttle reasons": throttle_reasons,
}


def readings_under_load(gpu):
    """READINGS readings of READ_BUSY while another process keeps the link busy; [] if none can."""
    command = [sys.executable, str(LOAD)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **pipes) as load:
        if load.stdout.readline() != b"busy\n":
            return []
        taken = []
        for _ in range(READINGS):
            time.sleep(INTERVAL)
            taken.append(collect(READ_BUSY, gpu))
        load.stdin.close()
    return taken


def summary(readings):
    """The facts of `readings`: median clocks, the worst P-state and link, every throttle reason."""
    columns = {name: [r[name] for r in readings if name in r] for name in READ_BUSY}
    worst = {"p-state": lambda states: f"P{max(states)}", "link generation": min, "link width": min}
    worst["throttle reasons"] = lambda taken: sorted(set().union(*taken)) or ["none"]
    return {name: worst.get(name, median)(taken) for name, taken in columns.items() if taken}


def alarms(facts, link, others):
    """What makes the numbers doubtful, a line each.

    `facts` as `summary` and `throttled_since` have them, `link` as in the machine's facts ('PCIe
    Gen5 x16'), `others` as others_on counted them.
    """
    if can := re.fullmatch(r"PCIe Gen(\d+) x(\d+)", link or ""):
        generation, width = facts.get("link generation"), facts.get("link width")
        if None not in (generation, width) and (generation < int(can[1]) or width < int(can[2])):
            yield f"The link ran as Gen{generation} x{width} under load; it can do {link}"
    if reasons := set(facts.get("throttle reasons", [])) - BENIGN - {"none"}:
        yield f"The GPU was throttled while it transferred: {', '.join(sorted(reasons))}"
    if facts.get("choice of cores"):
        yield "No process could move to a quiet core: sched_setaffinity is refused here"
    if periods := facts.get(cpu_share.PERIODS):
        stopped = f"{periods} times, {facts.get(cpu_share.SECONDS)} s in all"
        yield f"The CPU quota ({facts.get('cpu quota')}) stopped what was measured {stopped}"
    if others:
        yield f"{others} other process(es) had the GPU too, before or after this run"


# The software -----------------------------------------------------------------------------------

INSTALLED = """
import json, platform
from importlib import metadata
found = {}
for distribution in metadata.distributions():
    name = (distribution.metadata["Name"] or "").lower().replace("_", "-")
    found.setdefault(name, distribution.version)  # the first on the path is what imports find
found["python"] = platform.python_version()
try:
    from cuda.bindings import runtime
    error, version = runtime.cudaRuntimeGetVersion()
    found["cuda runtime"] = f"{version // 1000}.{version % 1000 // 10}"
except Exception:
    pass
print(json.dumps(found))
"""
SOFTWARE = "python", "numpy", "cuda-python", "torch", "cupy", "pycuda", "cuda runtime"


def software(installed):
    """The versions that count, of all those `installed`, {name: version}, as INSTALLED prints."""
    found = dict(installed)
    for name in list(found):
        if re.fullmatch(r"cupy(-cuda\d+x)?", name):
            found["cupy"] = found[name]
    found.setdefault("cuda-python", found.get("cuda-bindings"))
    return {name: found[name] for name in SOFTWARE if found.get(name)}
