"""Many small arrays, and the way back: in sentences."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

from pandas import DataFrame

from scripts.answers import standings
from scripts.answers.standings import Standing
from scripts.reading import intervals
from scripts.words.formats import factors, size

EACH, QUEUED, PACKED = "one-by-one", "queued", "packed"  # each with the library's name behind it


def many(run: DataFrame) -> Iterator[str]:
    """256 arrays: from which size on it no longer pays to pack them."""
    found = standings.of(run, "many_arrays")
    faster = gains(found, EACH, PACKED)
    if faster:
        yield f"256 small arrays, packed into one pinned buffer: {against(faster)} as one by one."
    elif any(names(one, EACH) and names(one, PACKED) for one in found):
        yield "256 small arrays: packing them gains nothing measurable."
    queued, packed = gains(found, PACKED, QUEUED), gains(found, QUEUED, PACKED)
    parts = []
    if packed:
        parts.append(f"packing them, too, is {against(packed)} as queueing them")
    if queued:
        parts.append(f"queueing them is {against(queued)} as packing them")
    if parts:
        yield f"If they lie in pinned memory already: {'; '.join(parts)}."


def names(one: Standing, way: str) -> list[str]:
    return [name for name in one.rows if name.split()[0] == way]


def gains(found: Sequence[Standing], slow: str, fast: str) -> dict[int, list[float]]:
    """{size: how many times as fast, by library} where it is told of every library; with several
    libraries that go the fast way, of the best one."""
    told = {}
    for one in found:
        pairs = [[one.gain(a, b) for b in names(one, fast)] for a in names(one, slow)]
        best = [max(each) for each in pairs if each]
        if best and min(best) > 0:
            told[one.nbytes] = best
    return told


def against(told: Mapping[int, Sequence[float]]) -> str:
    """'at 256 B each 28 to 57 times, at 64 KiB 1.3 to 2.5 times as fast'"""
    ends = dict.fromkeys([min(told), max(told)])
    parts = [f"at {size(nbytes)} each {factors(told[nbytes])}" for nbytes in ends]
    return f"{', '.join(parts)} as fast"


def back(run: DataFrame) -> Iterator[str]:
    """What a new NumPy array costs, and what a pinned one gains."""
    new = standings.of(run, "new_host_array", "pageable")
    there = {one.nbytes: one for one in standings.of(run, "existing_host_array", "pageable")}
    pinned = {one.nbytes: one for one in standings.of(run, "existing_host_array", "pinned")}
    longer = {one.nbytes: slower for one in new if (slower := beside(one, there.get(one.nbytes)))}
    if longer:
        times = factors(itertools.chain(*longer.values()))
        yield (
            f"Back into a new NumPy array {standings.where(new, longer)} it takes {times} as long "
            "as into one that is there, by library: the system has to give its pages first."
        )
    quicker = {n: gain for n in pinned if n in there and (gain := beside(there[n], pinned[n]))}
    if quicker:
        most = max(quicker)
        yield (
            f"In a pinned array that is there, {size(most)} are back "
            f"{factors(quicker[most])} as fast as in a pageable one."
        )


def beside(slow: Standing, fast: Standing | None) -> list[float]:
    """How many times as long each method takes, where it is told of all; they are of different
    visits, so by their seconds."""
    if fast is None or slow.rows.keys() != fast.rows.keys():
        return []
    told = [intervals.differ(slow.rows[name], fast.rows[name]) for name in slow.rows]
    times = [slow.took(name) / fast.took(name) for name in slow.rows]
    return times if all(told) and min(times) > 1 else []
