"""The samples of a benchmark's points, parted into those of each process, with what it noted."""

import itertools
from collections.abc import Mapping, Sequence
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
    flat, starts, spoiled = as_times(samples)
    columns = {name: numpy.full(len(lines), numpy.nan) for name in NUMBERS}
    columns["processes"][:] = columns["processes_quiet"][:] = 0
    visits: dict[str | None, int] = {None: UNKNOWN}
    by_length: dict[int, list[tuple[int, int, int]]] = {}  # place, visit, first sample
    for place, (taken, line) in enumerate(zip(samples, lines, strict=False)):
        if not taken or not line or not measured[place] or place in spoiled:
            continue
        lengths, start = line["samples"], starts[place]
        if sum(lengths) != len(taken):
            continue
        for length, visit in zip(lengths, line["visit"], strict=True):
            number = visits.setdefault(visit, len(visits) - 1)
            by_length.setdefault(length, []).append((place, number, start))
            start += length
        columns["processes"][place] = len(lengths)
        columns["processes_quiet"][place] = sum(map(int.__eq__, line["quiet"], lengths))
        if None not in line["sentinel"]:
            columns["sentinel_seconds"][place] = median(line["sentinel"])
    found = []
    for length, ones in by_length.items():
        owners, visited, first = numpy.array(ones).T
        found.append(Processes(owners, visited, numpy.log(flat[first[:, None] + range(length)])))
    return found, columns, len(spoiled)


def as_times(samples: Sequence[list[float] | None]) -> tuple[numpy.ndarray, list[int], set[int]]:
    """All samples behind each other, where each point's begin, and the points of which one is not
    seconds that a transfer can take."""
    lengths = [len(taken or ()) for taken in samples]
    flat = numpy.array([*itertools.chain.from_iterable(filter(None, samples))], float)
    owners = numpy.repeat(range(len(lengths)), lengths)
    odd = owners[~((flat > SHORTEST) & (flat < LONGEST))]  # NaN is odd
    return flat, [*itertools.accumulate(lengths, initial=0)], set(odd.tolist())
