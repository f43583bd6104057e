"""What stays true of the GPU that is measured, from NVIDIA's management library (NVML)."""

import os
import re

import pynvml


def facts():
    """The name and the PCIe link, as far as it can go, of CUDA's device 0; {} without a GPU.

    LookupError if CUDA_VISIBLE_DEVICES names a GPU in a way that NVML does not know.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip()
    try:
        pynvml.nvmlInit()
        devices = pynvml.nvmlDeviceGetCount()
    except pynvml.NVMLError:
        return {}
    if not devices or visible in ("", "-1"):
        return {}
    try:
        if visible.isdigit():  # CUDA counts as NVML does: benchmarks/device.py sees to it
            gpu = pynvml.nvmlDeviceGetHandleByIndex(int(visible))
        else:
            gpu = pynvml.nvmlDeviceGetHandleByUUID(visible)
        found = {"gpu": pynvml.nvmlDeviceGetName(gpu)}
    except pynvml.NVMLError as error:
        raise LookupError(f"Which GPU is CUDA_VISIBLE_DEVICES={visible}? NVML: {error}") from None
    try:
        generation = pynvml.nvmlDeviceGetMaxPcieLinkGeneration(gpu)
        found["link"] = f"PCIe Gen{generation} x{pynvml.nvmlDeviceGetMaxPcieLinkWidth(gpu)}"
    except pynvml.NVMLError:
        pass  # not every virtual machine says
    return found


def slug(name):
    """'NVIDIA H100 80GB HBM3' -> 'nvidia-h100-80gb-hbm3', fit for a folder."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
