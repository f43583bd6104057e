"""PyTorch: `torch.from_numpy(x).cuda()` and `Tensor.copy_`. Device memory comes from a pool."""

import numpy
from numpy import empty as pageable  # noqa: F401

DISTRIBUTIONS = ("torch",)


def load():
    import torch

    return torch


def pinned(n, dtype):
    torch = load()
    kind = torch.from_numpy(numpy.empty(0, dtype)).dtype
    return torch.empty(n, dtype=kind, pin_memory=True).numpy()


def new_array(host):
    torch = load()
    return lambda: torch.from_numpy(host).cuda()


def existing_array(host):
    torch = load()
    source = torch.from_numpy(host)
    device = torch.empty_like(source, device="cuda")
    return device, lambda: device.copy_(source)


def read(device):
    return device.cpu().numpy()


def empty_pinned_pool():
    load()._C._host_emptyCache()  # the pinned versions have no public name for it
