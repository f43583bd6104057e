"""PyTorch: `torch.from_numpy(x).cuda()`, `Tensor.copy_`, `.cpu()`. Device memory is pooled."""

import numpy

from . import Unusable

DISTRIBUTIONS = ("torch",)


def load():
    import torch

    if torch.version.cuda is None:
        raise Unusable(f"torch {torch.__version__} is built without CUDA")
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


def queued_array(host):
    torch = load()
    source = torch.from_numpy(host)
    device = torch.empty_like(source, device="cuda")
    return device, lambda: device.copy_(source, non_blocking=True)


def new_host(device):
    return lambda: device.cpu().numpy()


def existing_host(device, host):
    target = load().from_numpy(host)
    return lambda: target.copy_(device)


def address(device):
    return device.data_ptr()


def empty_pinned_pool():
    torch = load()
    if not hasattr(torch._C, "_host_emptyCache"):  # since 2.5, and without a public name
        raise Unusable(f"torch {torch.__version__} cannot empty its pool of pinned memory")
    torch._C._host_emptyCache()
