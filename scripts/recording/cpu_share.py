"""How much of the CPU this process's cgroup may use, and how often the kernel stopped it for that.

A container's CPU limit is such a quota: what is used up is used up until the next period, of 100 ms
as a rule, and a transfer that is stopped meanwhile is that much longer. Sources: cgroups(7), the
kernel's cgroup-v2 (cpu.max, cpu.stat) and sched-bwc (version 1) documents.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

PROC = Path("/proc/self")
STOPPED = {"throttled_usec": 1000, "throttled_time": 1}  # in ns; version 2, version 1
PERIODS, SECONDS = "cpu throttled periods", "cpu throttled seconds"


def levels(proc: Path = PROC) -> list[Path]:
    """The folders of the process's cgroup and of those around it: each of them may have a quota."""
    found = []
    ours = [line.split(":", 2) for line in (proc / "cgroup").read_text().splitlines()]
    for line in (proc / "mountinfo").read_text().splitlines():
        mount, _, kind = line.partition(" - ")
        system, _, options = kind.split(" ", 2)
        root, point = (Path(unescaped(word)) for word in mount.split(" ")[3:5])
        for _, controllers, path in ours:
            old = "cpu" in options.split(",") and "cpu" in controllers.split(",")
            if {"cgroup": old, "cgroup2": not controllers}.get(system):
                found += inside(point, root, Path(path))
    return found


def unescaped(word: str) -> str:
    """mountinfo has a blank as \\040."""
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), word)


def inside(point: Path, root: Path, path: Path) -> list[Path]:
    """The folders from the cgroup `path` up to `point`, where `root` is mounted.

    A container may see a path that is not below what is mounted there: then `point` is its own.
    """
    own = point / path.relative_to(root) if path.is_relative_to(root) else point
    around = (folder for folder in (own, *own.parents) if folder.is_relative_to(point))
    return [folder for folder in around if folder.is_dir()]


def quota(proc: Path = PROC) -> str | None:
    """'0.3 cores', the least of all levels; 'none' without a limit; None without cgroups."""
    folders = levels(proc)
    cores = [limit for folder in folders for limit in limits(folder)]
    return f"{min(cores):.3g} cores" if cores else "none" if folders else None


def limits(folder: Path) -> Iterator[float]:
    """The limit of one level, if there is one, in cores."""
    new, old = folder / "cpu.max", folder / "cpu.cfs_quota_us"
    if new.is_file():
        allowed, period = new.read_text().split()
    elif old.is_file():
        allowed, period = old.read_text(), (folder / "cpu.cfs_period_us").read_text()
    else:
        return
    if allowed != "max" and int(allowed) > 0:  # version 1 says -1
        yield int(allowed) / int(period)


def throttled(proc: Path = PROC) -> dict[str, float]:
    """How often, and for how many seconds, the process has been stopped; {} if nobody counts."""
    periods, stopped = None, 0
    try:
        for folder in levels(proc):
            path = folder / "cpu.stat"
            text = path.read_text() if path.is_file() else ""
            counts = {name: int(count) for name, count in map(str.split, text.splitlines())}
            if "nr_throttled" in counts:
                periods = (periods or 0) + counts["nr_throttled"]
                stopped += sum(counts.get(name, 0) * unit for name, unit in STOPPED.items())
    except (OSError, ValueError):
        return {}
    return {} if periods is None else {PERIODS: periods, SECONDS: stopped / 1e9}


def throttled_since(before: Mapping[str, float], proc: Path = PROC) -> dict[str, float]:
    """The facts of a run that began when `throttled` said `before`."""
    now = throttled(proc)
    if not before or not now:
        return {}
    return {name: round(now[name] - before[name], 3) for name in now}
