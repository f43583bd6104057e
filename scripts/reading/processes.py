"""The samples of a benchmark's points, parted into those of each process, with what it noted."""

from collections.abc import Mapping, Sequence
from itertools import chain
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
    owners = numpy.repeat(range(len(samples)), [len(taken or ()) for taken in samples])
    flat = numpy.array([*chain.from_iterable(filter(None, samples))], float)
    spoiled = {*owners[~((flat > SHORTEST) & (flat < LONGEST))].tolist()}  # a NaN is one, too
    kept = [
        (place, line)
        for place, (taken, line) in enumerate(zip(samples, lines, strict=False))
        if taken and line and measured[place] and place not in spoiled
        if sum(line["samples"]) == len(taken)
    ]
    places = numpy.array([place for place, _ in kept], int)
    flat = flat[numpy.isin(owners, places)]
    numbers: dict[str | None, int] = {None: UNKNOWN}
    visits = [
        numbers.setdefault(one, len(numbers) - 1) for _, line in kept for one in line["visit"]
    ]
    lengths, quiet, sentinels = (
        numpy.array([*chain.from_iterable(line[column] for _, line in kept)], kind)
        for column, kind in (("samples", int), ("quiet", int), ("sentinel", float))
    )
    each = numpy.array([len(line["samples"]) for _, line in kept], int)
    owners = numpy.repeat(places, each)
    columns = {
        "processes": numpy.bincount(owners, minlength=len(lines)),
        "processes_quiet": numpy.bincount(owners, lengths == quiet, len(lines)),
        "sentinel_seconds": numpy.full(len(lines), numpy.nan),
    }
    for number in {*each.tolist()}:
        same = sentinels[numpy.repeat(each == number, each)].reshape(-1, number)
        columns["sentinel_seconds"][places[each == number]] = numpy.median(same, axis=1)
    first, found = numpy.cumsum(lengths) - lengths, []
    for length in dict.fromkeys(lengths.tolist()):
        same = lengths == length
        logs = numpy.log(flat[first[same][:, None] + numpy.arange(length)])
        found.append(Processes(owners[same], numpy.array(visits)[same], logs))
    return found, columns, len(spoiled)
