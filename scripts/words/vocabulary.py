"""What the numbers are of: operation and direction, memory, kind of transfer, series.

A *point* is one combination of a benchmark's parameters, a *series* a point over time or over
visits. docs/architecture.md has the whole vocabulary.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from scripts.words.formats import article, size

MEMORY = "pinned", "pageable"
DTYPE = "float32"  # of what is compared: for the same bytes the dtype does not matter

# Sizes in bytes. Up to SMALL a transfer is latency rather than bandwidth; from LARGE on the link
# decides, not the CPU; from HUGE on the source does not fit the CPU's caches.
SMALL, LARGE, HUGE = 64 << 10, 4 << 20, 32 << 20
SCALES = LARGE, HUGE
IN_RATES = 1 << 20  # from here on a table says GB/s, below it microseconds

# Transfers of a kind differ alike from process to process; what is not pinned is as pageable.
KINDS = f"pinned, {size(LARGE)} and more", "pinned, below", "pageable"


def kind(memory: str, nbytes: int) -> str:
    """The one of KINDS that a transfer is of."""
    if memory != "pinned":
        return KINDS[2]
    return KINDS[0] if nbytes >= LARGE else KINDS[1]


class Operation(NamedTuple):
    """What a transfer does: asv's name of its benchmark, and direction and target in words."""

    benchmark: str
    direction: str
    into: str

    @property
    def title(self) -> str:
        """'into an existing device array'"""
        where = f"{self.into.removesuffix(' array')} {self.direction.removeprefix('to ')} array"
        return f"into {article(where)}"


TO_DEVICE, TO_HOST = "to device", "to host"
# The transfers that methods are compared by. Another operation, or direction, is one entry.
TRANSFERS = {
    "existing_array": Operation(
        "host_to_device.HostToDevice.time_existing_array", TO_DEVICE, "existing array"
    ),
    "new_array": Operation("host_to_device.HostToDevice.time_new_array", TO_DEVICE, "new array"),
}
# The parameter that names a visit's series: all that it has of a point, measured in turn.
IN_TURN = {one.benchmark: "method" for one in TRANSFERS.values()}
# What they are held against, and what a fresh interpreter does before its first transfer.
OTHERS = {
    "link": "reference.Link.time_link",
    "copy": "reference.HostCopy.time_copy",
    "nothing": "reference.Harness.time_nothing",
    "pin": "reference.Pinning.time_pin",
    "import": "cold_start.ColdStart.time_import",
    "context": "cold_start.ColdStart.time_context",
    "first_copy": "cold_start.ColdStart.time_copy",
    "total": "cold_start.ColdStart.time_total",
    "installed_bytes": "cold_start.ColdStart.track_installed_bytes",
    "link_back": "reference.Link.time_link_back",
    "register": "reference.Pinning.time_register",
    "existing_host_array": "device_to_host.DeviceToHost.time_existing_array",
    "new_host_array": "device_to_host.DeviceToHost.time_new_array",
    "ordinary_warm": "ordinary_array.OrdinaryArray.time_warm",
    "ordinary_cold": "ordinary_array.OrdinaryArray.time_cold",
    "many_arrays": "many_arrays.ManyArrays.time_all",
}
# The ways of an ordinary array, for those who do not know their names.
WAYS = {
    "direct": "sent as it is",
    "staged": "copied into a pinned buffer that is kept, and sent from there",
    "staged-chunks": "the same in chunks, one copied while the last one is sent",
    "registered-each-time": "page-locked where it lies, sent and released",
    "registered": "page-locked beforehand",
    "pin-memory": "PyTorch's pin_memory().cuda(), once its pools have the memory",
}
BACK = "link_back", "existing_host_array", "new_host_array"
IN_TURN |= {OTHERS[name]: "method" for name in ("existing_host_array", "new_host_array")}
IN_TURN |= {OTHERS[name]: "way" for name in ("ordinary_warm", "ordinary_cold", "many_arrays")}
# The steps of a cold start, in words.
COLD = {"import": "import", "context": "context", "first_copy": "first copy", "total": "in all"}
NAMES = {one.benchmark: name for name, one in TRANSFERS.items()}
NAMES |= {benchmark: name for name, benchmark in OTHERS.items()}


def operation(benchmark: str) -> str:
    """What the benchmark of this name does, in a word that no other benchmark shares.

    One that is not in the vocabulary keeps its class: 'DeviceToHost.existing_array'.
    """
    class_and_name = benchmark.split(".", 1)[-1]
    return NAMES.get(benchmark) or class_and_name.replace(".time_", ".").replace(".track_", ".")


def direction(operation: str) -> str:
    """Which way it goes: 'to device', as the link does; one that is unknown goes its own."""
    if operation in TRANSFERS:
        return TRANSFERS[operation].direction
    return TO_HOST if operation in BACK else operation.rpartition(".")[0] or TO_DEVICE


def family(method: str, memory: str, direction: str) -> str:
    """'cupy, pinned', and the direction where that is another than to the device."""
    return ", ".join([method, memory] + [direction] * (direction != TO_DEVICE))


# What all methods of a visit have in common: the host, the driver, the link.
ALL = "all methods"

# The link's own copies to the device are a series, too, of no method.
LINK = {"method": "link", "memory": "pinned", "dtype": ""}


class Series(NamedTuple):
    """What makes a series; `method` is the way or, where there is none, the operation's name."""

    benchmark: str
    method: str
    memory: str
    dtype: str
    nbytes: int | None


def series(benchmark: str, parameters: Mapping[str, Any]) -> Series:
    """The series of a point, also where its benchmark has no such parameter."""
    name = operation(benchmark)
    memory = LINK["memory"] if name in ("link", "link_back") else "pageable"
    without = {"method": parameters.get("way", name), "memory": memory, "dtype": ""}
    has = {**without, "nbytes": None, **parameters}
    return Series(benchmark, *(has[field] for field in Series._fields[1:]))
