"""One recorded result: its methods, or ways, side by side.

They come as sheets, tables of text for compare.py to print: sizes go across, microseconds below
1 MiB and GB/s from there on. A result is as chosen.py has it. Who is the fastest is said only where
reading/standing.py can tell.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy
import pandas

from scripts.answers import choosing
from scripts.reading import standing
from scripts.words.formats import as_percent, duration, percent, rate, size
from scripts.words.vocabulary import COLD, DTYPE, IN_RATES, KINDS, MEMORY, TRANSFERS, kind

Lines = dict[Any, dict[int, dict[str, Any]]]  # {method: {nbytes: row of the table}}
MANY = "256 small arrays, to the device: of each array (queued: pinned)"
ORDINARY = "an ordinary array, to the device, by way"


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


def across(title: str, nbytes: Sequence[int]) -> Sheet:
    """A sheet with these sizes across, and what the numbers below them are in."""
    units = ["µs" if one < IN_RATES else "GB/s" for one in nbytes]
    return Sheet(title, ["size", *map(size, nbytes)], [["unit", *units]])


def sizes(*found: Lines) -> list[int]:
    """All sizes in the dictionaries that `lines` returns."""
    return sorted({nbytes for one in found for rows in one.values() for nbytes in rows})


def cell(rows: Mapping[int, Mapping[str, Any]], nbytes: int) -> str:
    if nbytes not in rows:
        return "n/a"
    row = rows[nbytes]
    return rate(1e6 * row["seconds"] if nbytes < IN_RATES else row["gb_per_s"])


def methods(result: pandas.DataFrame) -> Iterator[Sheet]:
    """The methods of one result side by side, a Sheet for each operation and memory.

    Beside pinned memory stands the link's ceiling, beside pageable the host's own copy. Only that
    copy, if no method was measured.
    """
    link, copy = lines(result, "link"), lines(result, "copy")
    for operation, does in TRANSFERS.items():
        for memory in MEMORY:
            title, limit = ("link", link) if memory == "pinned" else ("host copy", copy)
            found = lines(result, operation, memory)
            yield from in_turn(f"{memory}, {does.title}", found, {title: limit.get(None, {})})
    yield from ways(result)
    yield from cold_start(result)
    if copy and not result.loc[result["status"].eq("ok"), "operation"].isin(TRANSFERS).any():
        yield from in_turn("NumPy to NumPy, on the host", {"host copy": copy[None]}, {})


def in_turn(title: str, found: Lines, beside: Lines) -> Iterator[Sheet]:
    """A Sheet of what was measured in turn, with what stands `beside`; none if nothing was."""
    there = sizes(found)
    sheet = across(title, there)
    for name, rows in [*found.items(), *beside.items()]:
        if rows:
            sheet.rows.append([name, *(cell(rows, nbytes) for nbytes in there)])
    told = [fastest(found, nbytes) for nbytes in there]
    for column, (group, _) in enumerate(told, 1):
        sheet.marks |= {(1 + list(found).index(one), column) for one in group}
    if len(found) > 1:
        sheet.rows.append(["noise", *(margin for _, margin in told)])
    if there:
        yield sheet


def ways(result: pandas.DataFrame) -> Iterator[Sheet]:
    """What to do with an ordinary array, or many small ones, and how to get an array back."""
    found = lines(result, "ordinary_warm")
    yield from in_turn(ORDINARY, *parted(found, "registered"))
    yield from in_turn(MANY, *parted(lines(result, "many_arrays"), "queued"))
    link = {"link back": lines(result, "link_back").get(None, {})}
    for memory in MEMORY:
        back = lines(result, "existing_host_array", memory)
        title = f"{memory}, back into an existing NumPy array"
        yield from in_turn(title, back, link if memory == "pinned" else {})
    back = lines(result, "new_host_array", "pageable")
    yield from in_turn("pageable, back into a new NumPy array", back, {})


def parted(found: Lines, beforehand: str) -> tuple[Lines, Lines]:
    """The ways of ordinary arrays, which are compared, and those of what is pinned beforehand."""
    there = {name: rows for name, rows in found.items() if name.split()[0] == beforehand}
    return {name: rows for name, rows in found.items() if name not in there}, there


def cold_start(result: pandas.DataFrame) -> Iterator[Sheet]:
    """A Sheet of what the first transfer of a fresh interpreter takes, and the installation."""
    found = choosing.cold_start(result)
    steps = [*COLD.values(), "installed"]
    steps = [step for step in steps if any(step in facts for facts in found.values())]
    rows = [[name, *(cold_cell(facts, step) for step in steps)] for name, facts in found.items()]
    if rows:
        yield Sheet("the first 1 KiB of a fresh interpreter", ["method", *steps], rows)


def cold_cell(facts: Mapping[str, float], step: str) -> str:
    if step not in facts:
        return "n/a"
    return f"{facts[step] / 1e6:.0f} MB" if step == "installed" else duration(facts[step])


def fastest(found: Lines, nbytes: int) -> tuple[list[str], str]:
    """The methods that none is told to be faster than, and the margin in words."""
    there = {method: rows[nbytes] for method, rows in found.items() if nbytes in rows}
    rows = standing.of_methods(pandas.DataFrame.from_records([*there.values()]))
    margins = rows["margin"][1:]
    if margins.empty or margins.isna().any():
        return [], "n/a"
    return rows["method"][~rows["apart"]].tolist(), percent(as_percent(margins.max()))


def noise(result: pandas.DataFrame) -> str:
    """In words: how noisy a result is, above all how far the processes of a point lie apart."""
    if not result["processes"].sum():
        return "Nothing was recorded of the noise"
    rows = result[result["processes"].gt(1)]
    rows, copies = (rows[rows["operation"].eq(name)] for name in ("existing_array", "copy"))
    of = [kind(*row) for row in zip(rows["memory"], rows["nbytes"], strict=True)]
    kinds = {name: rows[numpy.array(of, object) == name] for name in KINDS}
    if rows.empty:  # no GPU
        kinds = {"NumPy to NumPy": copies}
    spreads = {name: rows["process_spread"] for name, rows in kinds.items() if len(rows)}
    apart = [
        f"{found.median():.1%} ({found.quantile(0.95):.0%}) {name}"
        for name, found in spreads.items()
    ]
    if not apart:
        return "one process a point: nothing is known of the noise"
    said = (
        f"{result['processes_quiet'].sum()} of {result['processes'].sum()} processes all the time "
        f"on a quiet core; the processes of a point differ by (median, 95th percentile) "
        f"{'; '.join(apart)}"
    )
    known = {name: rows["relative_sd"].dropna() for name, rows in kinds.items()}
    ratios = [f"{sds.iloc[0]:.1%} {name}" for name, sds in known.items() if len(sds)]
    if ratios:
        said += f"; the ratios of a method by (standard deviation) {'; '.join(ratios)}"
    return said
