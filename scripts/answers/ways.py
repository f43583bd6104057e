"""An ordinary array: how to send it. In sentences.

paying.py has what that needs beforehand, many_and_back.py the same of many small arrays, and of the
way back.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pandas import DataFrame

from scripts.answers import many_and_back, paying, standings
from scripts.answers.paying import BEFOREHAND, DIRECT
from scripts.answers.standings import Standing
from scripts.reading import intervals
from scripts.recording import host
from scripts.words.formats import factor, factors, listed, size
from scripts.words.vocabulary import WAYS

ONE_THREAD, TORCH = "staged-chunks", "pin-memory"
WARM, COLD = "ordinary_warm", "ordinary_cold"


def of(run: DataFrame, runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the result `run` says of an ordinary array, of many small ones and of the way back.

    `runs` is what provenance.beside has of it. Nothing of what was not measured.
    """
    found = standings.of(run, WARM)
    return [
        *once(found),
        *without_torch(found),
        *paying.gained(found),
        *paying.uses(run, found),
        *paying.once(run),
        *from_memory(run, found),
        *threads(found, runs),
        *many_and_back.many(run),
        *many_and_back.back(run),
        *not_measured(run),
    ]


def named(way: str, said: set[str | None]) -> str:
    """With what it is, for those who do not know its name, unless that is `said`; then it is."""
    what = "several threads copy a part each" if "threads" in way else WAYS.get(way)
    if what in said:
        return way
    said.add(what)
    return f"{way} ({what})"


def once(found: Sequence[Standing]) -> Iterator[str]:
    """Which way is the fastest, of those that need nothing of the array beforehand."""
    if parts := best(standings.without(found, BEFOREHAND), {None}):
        yield f"Ordinary arrays, each sent once: {'; '.join(parts)}."


def without_torch(found: Sequence[Standing]) -> Iterator[str]:
    if any(TORCH in one.best for one in standings.without(found, BEFOREHAND)) and (
        parts := best(standings.without(found, BEFOREHAND, TORCH), {None})
    ):
        yield f"Without PyTorch: {'; '.join(parts)}."


def best(found: Sequence[Standing], said: set[str | None]) -> list[str]:
    """For each range of sizes what is best; nothing where the array as it is was not measured.

    What is `said` of a way is not said again.
    """
    parts = []
    there = [one for one in found if DIRECT in one.rows and len(one.rows) > 1]
    for ways, same in standings.ranges(there, lambda one: [] if DIRECT in one.best else one.best):
        where = standings.at(same)
        if not ways:
            parts.append(f"{where} nothing is measurably faster than sending it directly")
            continue
        known = [named(way, said) for way in ways]
        gains = [gain for one in same for way in ways if (gain := one.gain(DIRECT, way))]
        so_fast = f"{factors(gains)} as fast as sending it directly"
        if len(ways) == 1:
            parts.append(f"{where} {known[0]} is the fastest way, {so_fast}")
        else:
            parts.append(f"{where} {listed(known)} cannot be told apart, and are {so_fast}")
    return parts


def from_memory(run: DataFrame, warm: Sequence[Standing]) -> Iterator[str]:
    """The same of an array that is in no cache of the CPU's, where both were measured."""
    for cold in standings.of(run, COLD):
        same = next((one for one in warm if one.nbytes == cold.nbytes), None)
        longer = {
            way: factor(cold.took(way) / same.took(way))
            for way in (DIRECT, TORCH)
            if same
            and way in cold.rows
            and way in same.rows
            and intervals.differ(cold.rows[way], same.rows[way])
        }
        if longer:
            slower = listed(f"{way} takes {times} times as long" for way, times in longer.items())
            parts = [slower, *best(standings.without([cold], BEFOREHAND), {*WAYS.values()})]
            yield (
                f"An array of {size(cold.nbytes)} that comes from memory, and not from the CPU's "
                f"caches: {'; '.join(parts)}."
            )


def threads(found: Sequence[Standing], runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What it gains that several threads copy, and on how many cores that was."""
    said = []
    for way in dict.fromkeys(way for one in found for way in one.rows):
        number = re.fullmatch(r"staged-(\d+)-threads", way)
        there = [one for one in found if {way, ONE_THREAD} <= one.rows.keys()]
        if not (number and there):
            continue
        faster = {one.nbytes: gain for one in there if (gain := one.gain(ONE_THREAD, way))}
        slower = {one.nbytes for one in there if one.gain(way, ONE_THREAD)}
        are = "not faster"
        if faster:
            are = f"{standings.where(there, faster)} {factors(faster.values())} as fast"
        if slower:
            are += f", {standings.where(there, slower)} slower"
        said.append(f"{number[1]} are {are}")
    if said:
        cores = " or ".join(map(str, sorted(set(cores_of(runs)))))
        on = f" Measured on {cores} cores." * bool(cores)
        yield f"Staged by several threads, against one ({ONE_THREAD}): {'; '.join(said)}.{on}"


def cores_of(runs: Sequence[Mapping[str, Any]]) -> Iterator[int]:
    """On how many cores each run could be, where that is recorded."""
    for one in runs:
        with contextlib.suppress(KeyError, ValueError, AttributeError):
            yield len(host.listed(one["facts"]["cpu affinity"]))


def not_measured(run: DataFrame) -> Iterator[str]:
    """Which ways have no number at any size, where others have; and why, if that is recorded."""
    rows = run[run["operation"].isin([WARM, "many_arrays"])]
    there = rows[rows["status"].eq("ok")]
    rows = rows[rows["operation"].isin(there["operation"].astype(str))]
    lacking = rows[~rows["way"].isin(there["way"])].drop_duplicates("way")
    if len(lacking):
        said = lacking["reason"].astype(object).where(lacking["reason"].notna(), lacking["status"])
        ways = [f"{way} ({why})" for way, why in zip(lacking["way"], said, strict=True)]
        yield f"Not measured here: {listed(ways)}."
