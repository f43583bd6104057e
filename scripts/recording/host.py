"""The facts of the host: kernel, cores, memory, quota, variables."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from scripts.recording import cpu_share
from scripts.recording.facts import HOST, Facts, fact
from scripts.recording.variables import variables
from scripts.words.thresholds import THROTTLED


def ranges(numbers: Iterable[int]) -> str:
    """{0, 1, 2, 5} -> '0-2,5'"""
    numbers = set(numbers)
    starts = [n for n in sorted(numbers) if n - 1 not in numbers]
    ends = [n for n in sorted(numbers) if n + 1 not in numbers]
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))


def listed(text: str) -> set[int]:
    """'0-2,5' -> {0, 1, 2, 5}"""
    parts = [part.split("-") for part in text.strip().split(",") if part]
    return {n for part in parts for n in range(int(part[0]), int(part[-1]) + 1)}


def cannot_move(facts: Facts) -> str | None:
    if facts.get("choice of cores"):
        return "No process could move to a quiet core: sched_setaffinity is refused here"
    return None


@fact("choice of cores", HOST, cannot_move)
def choice_of_cores() -> str | None:
    """'refused' where the kernel, or a sandbox, lets no process choose its cores."""
    try:
        os.sched_setaffinity(0, os.sched_getaffinity(0))
    except OSError:
        return "refused"
    return None


@fact("process numa nodes", HOST)
def numa_nodes() -> str | None:
    """The nodes of the cores that the processes may run on."""
    allowed = os.sched_getaffinity(0)
    nodes = Path("/sys/devices/system/node").glob("node[0-9]*/cpulist")
    near = {int(path.parent.name[4:]) for path in nodes if listed(path.read_text()) & allowed}
    return ranges(near) or None


@fact("huge pages", HOST)
def huge_pages() -> str:
    """'madvise': when the kernel makes huge pages of ordinary memory, which NumPy asks it to."""
    text = Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text()
    return re.findall(r"\[(\w+)\]", text)[0]


@fact("virtualisation", HOST)
def virtualisation() -> str:
    """'none', or that this is a virtual machine, and of which make where the firmware says."""
    flags = re.findall(r"^flags\s*:(.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    if "hypervisor" not in flags[0].split():
        return "none"
    try:
        return f"virtual machine ({Path('/sys/class/dmi/id/sys_vendor').read_text().strip()})"
    except OSError:
        return "virtual machine"


def stopped(facts: Facts) -> str | None:
    """A container's quota may stop its processes for THROTTLED of a run, which no sample shows."""
    seconds = facts.get(cpu_share.SECONDS, 0)
    if seconds <= THROTTLED * facts.get("seconds", 0):
        return None
    often = f"{facts.get(cpu_share.PERIODS)} times, {seconds} s in all"
    return f"The CPU quota ({facts.get('cpu quota')}) stopped what was measured {often}"


fact("kernel", HOST)(lambda: os.uname().release)
fact("cpu affinity", HOST)(lambda: ranges(os.sched_getaffinity(0)))
fact("cpu quota", HOST, stopped)(cpu_share.quota)
fact("variables", HOST)(variables)
