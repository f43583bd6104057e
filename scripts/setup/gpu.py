"""The GPU that is measured: CUDA's device 0. The driver decides whether there is one; NVML, which
may be missing beside a driver that works (containers, Jetson), only adds facts.
"""

import contextlib
import ctypes
import os
import re
import uuid
from typing import Any, NamedTuple

import pynvml

STUB_LIBRARY, NO_DEVICE = 34, 100  # CUresult, from cuda.h
# What NVML's bindings raise; the latter where the driver's NVML is older than they are.
UNANSWERED = pynvml.NVMLError, pynvml.NVMLLibraryMismatchError


class NotKnown(Exception):
    """Whether there is a GPU, or which, cannot be said; the text says why."""


class Gpu(NamedTuple):
    """A device as CUDA's driver knows it; `handle` is NVML's, None where NVML does not know it."""

    name: str
    uuid: str
    count: int  # type: ignore[assignment]  # of GPUs; a tuple has a method of that name
    handle: Any


def find() -> Gpu | None:
    """CUDA's device 0; None without a driver or a device. NotKnown as `visible` raises it."""
    return next(iter(visible()), None)


def visible() -> list[Gpu]:
    """CUDA's devices, in the order of their PCI addresses; [] without a driver or a device.

    Source: CUDA Driver API. NotKnown if the driver fails, or if CUDA_VISIBLE_DEVICES names none of
    the GPUs that NVML sees: then CUDA behaves as if there were none.
    """
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # as in benchmarks/device.py
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
        count = ctypes.c_int()
        error = cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count))
    except (OSError, AttributeError):  # no such library, or one that is no driver
        return []
    if error in (STUB_LIBRARY, NO_DEVICE) or (not error and not count.value):
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").strip()
        if visible not in ("", "-1") and nvml_count():
            raise NotKnown(f"Which GPU is CUDA_VISIBLE_DEVICES={visible}? CUDA finds none")
        return []
    if error:
        text = ctypes.c_char_p()
        cuda.cuGetErrorString(error, ctypes.byref(text))
        raise NotKnown(f"CUDA's driver fails: {(text.value or b'?').decode()} (error {error})")
    return [gpu_of(cuda, number, count.value) for number in range(count.value)]


def gpu_of(cuda: ctypes.CDLL, index: int, count: int) -> Gpu:
    """CUDA's device `index` of `count` that are visible."""
    device, name = ctypes.c_int(), ctypes.create_string_buffer(256)
    tells, bus = ctypes.create_string_buffer(16), ctypes.create_string_buffer(32)
    cuda.cuDeviceGet(ctypes.byref(device), index)
    cuda.cuDeviceGetName(name, len(name), device)
    # _v2 gives a MIG slice its own; drivers before CUDA 11.4 do not have it.
    uuid_of = getattr(cuda, "cuDeviceGetUuid_v2", None) or cuda.cuDeviceGetUuid
    uuid_of(tells, device)
    cuda.cuDeviceGetPCIBusId(bus, len(bus), device)
    found = str(uuid.UUID(bytes=tells.raw))
    number = nvml_count() or count  # which begins with NVML
    handle = nvml_handle(found, bus.value.decode())
    told = name.value.decode(errors="replace")
    with contextlib.suppress(*UNANSWERED):
        told = (handle and pynvml.nvmlDeviceGetName(handle)) or told
    return Gpu(told, found, number, handle)


def nvml_count() -> int:
    """How many GPUs this machine has, visible or not; 0 if NVML does not say."""
    try:
        pynvml.nvmlInit()
        return pynvml.nvmlDeviceGetCount()
    except UNANSWERED:
        return 0


def nvml_handle(found: str, bus: str) -> Any:
    """NVML's handle of the device with this UUID, a MIG slice's too, or at this PCI address."""
    ways = (
        (pynvml.nvmlDeviceGetHandleByUUID, f"GPU-{found}"),
        (pynvml.nvmlDeviceGetHandleByUUID, f"MIG-{found}"),
        (pynvml.nvmlDeviceGetHandleByPciBusId, bus),
    )
    for ask, name in ways:
        with contextlib.suppress(*UNANSWERED):
            return ask(name)
    return None


def lasting(gpu: Gpu | None) -> dict[str, str]:
    """What stays true of the machine: its GPU, how many, the PCIe link as device and slot allow."""
    if gpu is None:
        return {}
    found = {"gpu": gpu.name, "num_gpu": str(gpu.count)}
    with contextlib.suppress(*UNANSWERED):  # not every virtual machine says
        generation = pynvml.nvmlDeviceGetMaxPcieLinkGeneration(gpu.handle)
        width = pynvml.nvmlDeviceGetMaxPcieLinkWidth(gpu.handle)
        found["link"] = f"PCIe Gen{generation} x{width}"
    return found


def slug(name: str) -> str:
    """'NVIDIA H100 80GB HBM3' -> 'nvidia-h100-80gb-hbm3', fit for a folder."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
