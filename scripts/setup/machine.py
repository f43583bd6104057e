"""The machine: what stays true of it and its GPU, how asv comes to know it, one run at a time."""

import hashlib
import itertools
import os
import re
import socket
from pathlib import Path

import pynvml
from asv import util
from asv.console import log
from asv.machine import Machine, MachineCollection

from scripts.setup.environment import ROOT

# asv's file of machines: here, as a home may be missing, read-only, or that of other nodes, too.
MACHINES = ROOT / ".asv" / "machines.json"
MachineCollection.get_machine_file_path = staticmethod(lambda: str(MACHINES))


class Busy(util.UserError):
    """Another run measures here."""


def find_gpu():
    """NVML's handle of CUDA's device 0; None without a driver or a device.

    Source: NVML, NVIDIA's management library. UserError if CUDA_VISIBLE_DEVICES names a GPU in a
    way that NVML does not know.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip()
    try:
        pynvml.nvmlInit()
        devices = pynvml.nvmlDeviceGetCount()
    except pynvml.NVMLError:
        return None
    if not devices or visible in ("", "-1"):
        return None
    try:
        if visible.isdigit():  # CUDA counts as NVML does: benchmarks/device.py sees to it
            return pynvml.nvmlDeviceGetHandleByIndex(int(visible))
        return pynvml.nvmlDeviceGetHandleByUUID(visible)
    except pynvml.NVMLError as error:
        raise util.UserError(f"Which GPU is CUDA_VISIBLE_DEVICES={visible}? {error}") from None


def gpu_facts(gpu):
    """What stays: how many GPUs, the name of `gpu`, its PCIe link as far as device and slot go."""
    if gpu is None:
        return {}
    found = {
        "gpu": pynvml.nvmlDeviceGetName(gpu),
        "num_gpu": str(pynvml.nvmlDeviceGetCount()),
    }
    try:
        generation = pynvml.nvmlDeviceGetMaxPcieLinkGeneration(gpu)
        found["link"] = f"PCIe Gen{generation} x{pynvml.nvmlDeviceGetMaxPcieLinkWidth(gpu)}"
    except pynvml.NVMLError:
        pass  # not every virtual machine says
    return found


def slug(name):
    """'NVIDIA H100 80GB HBM3' -> 'nvidia-h100-80gb-hbm3', fit for a folder."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def stored(name, facts):
    """What asv's own file has of the machine `name`, or would, with `facts` of its GPU.

    asv draws a curve for each value of each fact, so what an update or a hypervisor may change
    under a machine (the kernel's release, the memory's size) is none of them.
    """
    try:
        known = MachineCollection.load(name)
        if not isinstance(known, dict):
            raise util.UserError(f"{MachineCollection.get_machine_file_path()} is not asv's")
    except util.UserError as error:
        if "No information stored" not in str(error):
            raise
        known = Machine.get_defaults()
        log.info(f"Registered this machine as {name}")
    known = {**known, "machine": name, "os": os.uname().sysname, **facts}
    known.pop("ram", None)
    return known


def otherwise(name, known, results_dir):
    """What the results of a machine `name` are otherwise of than the facts `known`; None if not."""
    path = Path(results_dir, name, "machine.json")
    recorded = util.load_json(str(path)) if path.is_file() else known
    for fact in ("gpu", "link", "num_gpu", "cpu", "num_cpu", "arch"):
        if fact == "num_gpu" and fact not in recorded:
            continue  # nor was it by the first version of this
        if recorded.get(fact) != known.get(fact):
            return f"{fact}: {recorded.get(fact)}; here: {known.get(fact)}"
    return None


def register(name, facts, results_dir):
    """Let asv know this machine, as `asv machine --yes` would; returns its name.

    That is `name`; UserError if the results under it are those of another machine. If it is None,
    it is asv's default, numbered if another machine's results have that.
    """
    if name is not None:
        if not re.fullmatch(r"\w[\w.-]*", name) or name == "version":
            raise util.UserError(f"{name!r} cannot name a machine: it names a folder in results/")
        known = stored(name, facts)
        if fact := otherwise(name, known, results_dir):
            told = f"results/{name} is of another machine ({fact})"
            raise util.UserError(f"{told}. Name this one otherwise: --machine NAME")
    else:
        default = Machine.get_unique_machine_name()
        for number in itertools.count(1):
            name = default if number == 1 else f"{default}-{number}"
            known = stored(name, facts)
            if not otherwise(name, known, results_dir):
                break
    MACHINES.parent.mkdir(exist_ok=True)
    MachineCollection.save(name, known)
    return name


def lock():
    """One run of a user at a time: two would measure each other. It ends with asv's process."""
    lock.socket = socket.socket(socket.AF_UNIX)
    home = hashlib.sha256(os.path.expanduser("~").encode()).hexdigest()
    try:
        lock.socket.bind(f"\0numpy-to-gpu {home}")
    except OSError:
        raise Busy("another run is measuring on this machine; wait for it") from None
