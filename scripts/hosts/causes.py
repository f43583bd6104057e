"""What may be the matter with a GPU that is slow: what its line says of the link and the host."""

from collections.abc import Collection

from scripts.hosts.kinds import AT_ONCE
from scripts.hosts.schema import Line
from scripts.reading.links import Link
from scripts.recording.gpu import BENIGN
from scripts.recording.host import listed
from scripts.words.formats import count

NONE = "no cause recorded"
BUSY = 5  # rounds of 25; a guess: no real host is recorded with this count yet


def narrowed(link: Link | None, can: Link | None, whose: str) -> str | None:
    """What a link lacks of `can`."""
    if link is None or can is None:
        return None
    if link.width < can.width:
        return f"link x{link.width}, {whose} x{can.width}"
    if link.generation < can.generation:
        return f"link Gen{link.generation}, {whose} Gen{can.generation}"
    return None


def far(line: Line) -> bool:
    """Whether no core that the check may use is of the GPU's NUMA node."""
    nodes = listed(line.cores_numa_nodes or "")
    return line.numa_node is not None and bool(nodes) and line.numa_node not in nodes


def probable(line: Line, usual: Link | None = None, kinds: Collection[str] = ()) -> list[str]:
    """The causes that are recorded, the likeliest first; `kinds` are those that are slow.

    `usual` is the link that GPUs of this name have elsewhere.
    """
    before, after = line.replays or (0, 0)
    throttled = sorted({*line.throttle_reasons} - BENIGN - {"none"})
    found = [
        narrowed(line.link, line.link_max, "can do") or narrowed(line.link, usual, "others have"),
        after > before and f"{count(after - before, 'PCIe replay', 'PCIe replays')} meanwhile",
        throttled and f"throttled: {' and '.join(throttled)}",
        line.other_processes
        and f"{count(line.other_processes, 'other process', 'other processes')} on the GPU",
        far(line) and f"far NUMA node: cores of {line.cores_numa_nodes}, GPU on {line.numa_node}",
        line.cpu_stopped_seconds > 0
        and f"CPU quota {line.cpu_quota} stopped it {line.cpu_stopped_seconds:.2g} s",
        line.busy_rounds >= BUSY and f"busy cores: {count(line.busy_rounds, 'round', 'rounds')}",
        bool(kinds)
        and all(kind.endswith(AT_ONCE) for kind in kinds)
        and "only with its siblings: a bridge or the host's memory is shared",
    ]
    return [cause for cause in found if cause]
