"""Keep the link to the GPU busy, with pinned 64 MiB after pinned 64 MiB, until stdin ends.

What NVML says of an idle GPU's clocks and link can be far below what they are under load, so
facts.py reads them while this runs. It asks CUDA's driver alone, and so needs no library.
"""

import ctypes
import os
import select
import sys
from typing import Any

NBYTES = 64 << 20


def main() -> None:
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # as in benchmarks/device.py
    cuda = ctypes.CDLL("libcuda.so.1")
    device, context = ctypes.c_int(), ctypes.c_void_p()
    host, target = ctypes.c_void_p(), ctypes.c_uint64()

    def call(name: str, *arguments: Any) -> None:
        if error := getattr(cuda, name)(*arguments):
            sys.exit(f"{name}: error {error}")

    call("cuInit", 0)
    call("cuDeviceGet", ctypes.byref(device), 0)
    call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
    call("cuCtxSetCurrent", context)
    call("cuMemHostAlloc", ctypes.byref(host), ctypes.c_size_t(NBYTES), 0)
    call("cuMemAlloc_v2", ctypes.byref(target), ctypes.c_size_t(NBYTES))
    call("cuMemcpyHtoD_v2", target, host, ctypes.c_size_t(NBYTES))
    print("busy", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        call("cuMemcpyHtoD_v2", target, host, ctypes.c_size_t(NBYTES))


if __name__ == "__main__":
    main()
