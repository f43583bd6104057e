"""CuPy: `cupy.asarray(x)` and `ndarray.set`. Device memory comes from a pool."""

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


def address(device):
    return device.data.ptr


def empty_pinned_pool():
    load().get_default_pinned_memory_pool().free_all_blocks()
