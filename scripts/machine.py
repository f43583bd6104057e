"""The machine: what stays true of it and its GPU, how asv comes to know it, one run at a time."""

import hashlib
import os
import re
import socket
from pathlib import Path

import pynvml
from asv import util
from asv.console import log
from asv.machine import Machine, MachineCollection


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


def register(name, facts, results_dir):
    """Let asv know this machine, as `asv machine --yes` would, with `facts` of its GPU.

    asv draws a curve for each value of each fact, so what an update or a hypervisor may change
    under a machine (the kernel's release, the memory's size) is none of them. UserError if the
    results under this name are those of another machine.
    """
    if not re.fullmatch(r"\w[\w.-]*", name) or name == "version":
        raise util.UserError(f"{name!r} cannot name a machine: it names a folder in results/")
    try:
        known = MachineCollection.load(name)
        if not isinstance(known, dict):
            raise util.UserError(f"{MachineCollection.get_machine_file_path()} is not asv's")
    except util.UserError as error:
        if "No information stored" not in str(error):
            raise
        known = {**Machine.get_defaults(), "machine": name}
        log.info(f"Registered this machine as {name}")
    known = {**known, "os": os.uname().sysname, **facts}
    known.pop("ram", None)
    MachineCollection.save(name, known)
    path = Path(results_dir, name, "machine.json")
    recorded = util.load_json(str(path)) if path.is_file() else known
    for fact in ("gpu", "link", "num_gpu", "cpu", "num_cpu", "arch"):
        if fact == "num_gpu" and fact not in recorded:
            continue  # nor was it by the first version of this
        if recorded.get(fact) != known.get(fact):
            raise util.UserError(
                f"results/{name} is of another machine ({fact}: {recorded.get(fact)}; here: "
                f"{known.get(fact)}). Name this one: --machine NAME"
            )


def lock():
    """One run at a time: two would measure each other. The system frees the name when asv ends."""
    lock.socket = socket.socket(socket.AF_UNIX)
    home = hashlib.sha256(os.path.expanduser("~").encode()).hexdigest()
    try:
        lock.socket.bind(f"\0numpy-to-gpu {home}")
    except OSError:
        raise util.UserError("another run is measuring on this machine; wait for it") from None
