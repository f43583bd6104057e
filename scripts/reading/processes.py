"""The samples of a benchmark's points, parted into those of each process, with what it noted."""

from collections.abc import Mapping, Sequence
from math import isnan
from statistics import median
from typing import Any, NamedTuple

import numpy

SHORTEST, LONGEST = 1e-12, 1e6  # seconds
NUMBERS = "processes", "processes_quiet", "sentinel_seconds"
UNKNOWN = -1  # the visit of a process of which the noise file says none


class Processes(NamedTuple):
    """Some processes with equally many samples each: arrays with a row a process."""

    owners: numpy.ndarray  # the place of its point
    visits: numpy.ndarray  # the number of its visit, or UNKNOWN
    logs: numpy.ndarray  # of the seconds, a column a sample


def parted(
    samples: Sequence[list[float] | None],
    lines: Sequence[Mapping[str, Any] | None],
    measured: Sequence[bool],
) -> tuple[list[Processes], dict[str, numpy.ndarray], int]:
    """The processes of all points; the columns NUMBERS; and of how many points the samples are
    none, as no measurement gives them.

    `samples` are the points' samples, those of each process behind each other; `lines` what
    noise.py has of each point, or None. A point whose samples are not those that the noise is of
    has no processes, and so has one with a sample that is no time.
    """
    spoiled = {place for place, taken in enumerate(samples) if not are_times(taken)}
    columns = {name: numpy.full(len(lines), numpy.nan) for name in NUMBERS}
    columns["processes"][:] = columns["processes_quiet"][:] = 0
    visits: dict[str | None, int] = {None: UNKNOWN}
    by_length: dict[int, tuple[list, list, list]] = {}
    for place, (taken, line) in enumerate(zip(samples, lines, strict=False)):
        if not taken or not line or not measured[place] or place in spoiled:
            continue
        lengths = line["samples"]
        if sum(lengths) != len(taken):
            continue
        start = 0
        for length, visit in zip(lengths, line["visit"], strict=True):
            owners, visited, rows = by_length.setdefault(length, ([], [], []))
            owners.append(place)
            visited.append(visits.setdefault(visit, len(visits) - 1))
            rows += taken[start : start + length]
            start += length
        columns["processes"][place] = len(lengths)
        columns["processes_quiet"][place] = sum(map(int.__eq__, line["quiet"], lengths))
        if None not in line["sentinel"]:
            columns["sentinel_seconds"][place] = median(line["sentinel"])
    found = [
        Processes(
            numpy.array(owners),
            numpy.array(visited),
            numpy.log(numpy.array(rows).reshape(-1, length)),
        )
        for length, (owners, visited, rows) in by_length.items()
    ]
    return found, columns, len(spoiled)


def are_times(taken: list[float] | None) -> bool:
    """Whether all samples of a point are seconds that a transfer can take."""
    return not taken or (min(taken) > SHORTEST and max(taken) < LONGEST and not isnan(sum(taken)))
