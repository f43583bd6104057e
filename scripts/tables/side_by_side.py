"""The methods of one result side by side.

They come as sheets, tables of text for compare.py to print: a column a size, microseconds below
1 MiB, GB/s from there on. A result is as chosen.py has it. Who is faster is said only where
reading/standing.py can tell.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas

from scripts.reading import standing
from scripts.words.formats import as_percent, duration, figure, percent, size, unit
from scripts.words.vocabulary import COLD, DTYPE, MEMORY, TRANSFERS

Lines = dict[Any, dict[int, dict[str, Any]]]  # {method: {nbytes: row of the table}}
NOISE = "noise"


@dataclass
class Sheet:
    """A table of text with a title; `marks` are the (row, column) of what is fastest."""

    title: str
    header: list[str]
    rows: list[list[str]] = field(default_factory=list)
    marks: set[tuple[int, int]] = field(default_factory=set)


def lines(result: pandas.DataFrame, operation: str, memory: str | None = None) -> Lines:
    """What was measured of one operation, with float32.

    Of ways the key is the way; operations that know neither have the one key None.
    """
    rows = result[(result["operation"] == operation) & (result["status"] == "ok")]
    rows = rows[rows["dtype"].isna() | (rows["dtype"] == DTYPE)]
    if memory:
        rows = rows[rows["memory"] == memory]
    found: Lines = {}
    for row in rows.to_dict("records"):
        named = (row[name] for name in ("method", "way") if isinstance(row[name], str))
        row["method"] = next(named, None)
        found.setdefault(row["method"], {})[int(row["nbytes"])] = row
    return found


def sizes(*found: Lines) -> list[int]:
    """All sizes in the dictionaries that `lines` returns."""
    return sorted({nbytes for one in found for rows in one.values() for nbytes in rows})


def cell(rows: Mapping[int, Mapping[str, Any]], nbytes: int) -> str:
    return figure(nbytes, rows[nbytes]["seconds"]) if nbytes in rows else "n/a"


def head(columns: Sequence[int]) -> list[str]:
    """The header of a sheet: sizes, each with the unit of its column."""
    return ["", *(f"{size(nbytes)}\n{unit(nbytes)}" for nbytes in columns)]


def methods(result: pandas.DataFrame) -> Iterator[Sheet]:
    """The methods of one result side by side, a Sheet for each operation and memory.

    Beside pinned memory stands the link's ceiling, beside pageable the host's own copy. Only that
    copy, if no method was measured.
    """
    link, copy = lines(result, "link"), lines(result, "copy")
    for operation, does in TRANSFERS.items():
        for memory in MEMORY:
            title, limit = ("link", link) if memory == "pinned" else ("host copy", copy)
            beside = {title: limit.get(None, {})}
            yield from in_turn(f"{memory}, {does.title}", lines(result, operation, memory), beside)
    yield from ways(result)
    yield from cold_start(result)
    if copy and not result.loc[result["status"].eq("ok"), "operation"].isin(TRANSFERS).any():
        columns = sizes(copy)
        row = ["host copy", *(cell(copy[None], nbytes) for nbytes in columns)]
        yield Sheet("NumPy to NumPy, on the host", head(columns), [row])


def in_turn(title: str, found: Lines, beside: Lines) -> Iterator[Sheet]:
    """A Sheet of what was measured in turn, with what stands `beside`; none if nothing was."""
    columns = sizes(found)
    sheet, noises = Sheet(title, head(columns)), [NOISE]
    sheet.rows = [
        [name, *(cell(rows, nbytes) for nbytes in columns)]
        for name, rows in {**found, **beside}.items()
        if rows
    ]
    for at, nbytes in enumerate(columns, 1):
        group, noise = fastest(found, nbytes)
        sheet.marks |= {(list(found).index(one), at) for one in group}
        noises.append(noise)
    if sheet.rows and columns:
        sheet.rows.append(noises)
        yield sheet


def ways(result: pandas.DataFrame) -> Iterator[Sheet]:
    """What to do with an ordinary array, or many small ones, and how to get an array back."""
    found = lines(result, "ordinary_warm")
    before = {name: found.pop(name) for name in ["registered"] if name in found}
    yield from in_turn("an ordinary array, there, way by way", found, before)
    many = lines(result, "many_arrays")
    yield from in_turn("each of 256 small arrays, there, way by way", many, {})
    link = {"link back": lines(result, "link_back").get(None, {})}
    for memory in MEMORY:
        back = lines(result, "existing_host_array", memory)
        title = f"{memory}, back into an existing NumPy array"
        yield from in_turn(title, back, link if memory == "pinned" else {})
    back = lines(result, "new_host_array", "pageable")
    yield from in_turn("pageable, back into a new NumPy array", back, {})


def cold_start(result: pandas.DataFrame) -> Iterator[Sheet]:
    """A Sheet of what the first transfer of a fresh interpreter takes, and the installation."""
    found: dict[str, dict[str, str]] = {}
    rows = result[result["benchmark"].str.startswith("cold_start.") & (result["status"] == "ok")]
    for row in rows.to_dict("records"):
        step = COLD.get(row["operation"])
        text = duration(row["seconds"]) if step else f"{row['installed_bytes'] / 1e6:.0f} MB"
        found.setdefault(row["method"], {})[step or "installed"] = text
    columns = [*COLD.values(), "installed"]
    known = [name for name in columns if any(name in steps for steps in found.values())]
    rows = [
        [method, *(steps.get(name, "n/a") for name in known)] for method, steps in found.items()
    ]
    if rows:
        yield Sheet("the first 1 KiB of a fresh interpreter", ["", *known], rows)


def fastest(found: Lines, nbytes: int) -> tuple[list[str], str]:
    """The methods that none is told to be faster than, and by how much others must differ."""
    there = {method: rows[nbytes] for method, rows in found.items() if nbytes in rows}
    rows = standing.of_methods(pandas.DataFrame.from_records([*there.values()]))
    margins = rows["margin"][1:]
    if margins.empty or margins.isna().any():
        return [], "n/a"
    return rows["method"][~rows["apart"]].tolist(), percent(as_percent(margins.max()))
