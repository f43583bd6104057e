"""CuPy: `cupy.asarray(x)`, `ndarray.set` and `ndarray.get`. Device memory comes from a pool."""

DISTRIBUTIONS = "cupy-cuda13x", "cupy-cuda12x", "cupy"


def load():
    import cupy
    import cupyx  # noqa: F401

    return cupy


def pinned(n, dtype):
    import cupyx

    return cupyx.empty_pinned(n, dtype)


def new_array(host):
    cupy = load()
    return lambda: cupy.asarray(host)


def existing_array(host):
    device = load().empty(host.shape, host.dtype)
    return device, lambda: device.set(host)


def queued_array(host):
    cupy = load()
    device, stream = cupy.empty(host.shape, host.dtype), cupy.cuda.Stream.null
    return device, lambda: device.set(host, stream)


def new_host(device):
    return device.get


def existing_host(device, host):
    return lambda: device.get(out=host)


def address(device):
    return device.data.ptr


def empty_pinned_pool():
    load().get_default_pinned_memory_pool().free_all_blocks()
