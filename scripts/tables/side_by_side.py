"""Recorded results side by side: the methods of one, or two of them method by method.

They come as sheets, tables of text for compare.py to print. A result is as chosen.py has it. Who
is faster is said only where reading/standing.py and reading/two_runs.py can tell.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy
import pandas

from scripts.reading import standing
from scripts.words.formats import as_percent, duration, percent, rate, size
from scripts.words.vocabulary import ALL, COLD, DTYPE, KINDS, MEMORY, TRANSFERS, kind

Lines = dict[Any, dict[int, dict[str, Any]]]  # {method: {nbytes: row of the table}}


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


def cell(found: Lines, method: str | None, nbytes: int) -> str:
    return rate(found.get(method, {}).get(nbytes, {}).get("gb_per_s", math.nan))


def methods(result: pandas.DataFrame, copies: pandas.DataFrame) -> Iterator[Sheet]:
    """The methods of one result side by side, a Sheet for each operation and memory.

    Beside pinned memory stands the link's ceiling, beside pageable the host's own copy as the
    result `copies` has it. Only that copy, if no method was measured.
    """
    link, copy = lines(result, "link"), lines(copies, "copy")
    for operation, does in TRANSFERS.items():
        for memory in MEMORY:
            title, limit = ("link", link) if memory == "pinned" else ("host copy", copy)
            beside = {title: limit.get(None, {})}
            found = lines(result, operation, memory)
            yield from in_turn(f"{memory}, {does.title}", found, beside)
    yield from ways(result)
    yield from cold_start(result)
    if copy and not result.loc[result["status"].eq("ok"), "operation"].isin(TRANSFERS).any():
        rows = [[size(nbytes), cell(copy, None, nbytes)] for nbytes in sizes(copy)]
        yield Sheet("NumPy to NumPy, on the host", ["size", "host copy"], rows)


def in_turn(title: str, found: Lines, beside: Lines) -> Iterator[Sheet]:
    """A Sheet of what was measured in turn, with what stands `beside`; none if nothing was."""
    sheet = Sheet(title, ["size", *found, *beside, "fastest", "noise"])
    for nbytes in sizes(found):
        rates = [cell(found, name, nbytes) for name in found]
        rates += [cell(beside, name, nbytes) for name in beside]
        group, said, noise = fastest(found, nbytes)
        sheet.marks |= {(len(sheet.rows), 1 + list(found).index(one)) for one in group}
        sheet.rows.append([size(nbytes), *rates, said, noise])
    if sheet.rows:
        yield sheet


def ways(result: pandas.DataFrame) -> Iterator[Sheet]:
    """What to do with an ordinary array, or many small ones, and how to get an array back."""
    found = lines(result, "ordinary_warm")
    before = {name: found.pop(name) for name in ["registered"] if name in found}
    yield from in_turn("an ordinary array, there, way by way", found, before)
    yield from in_turn("256 small arrays, there, way by way", lines(result, "many_arrays"), {})
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
    header = ["method", *known]
    rows = [[method, *(found[method].get(name, "n/a") for name in header[1:])] for method in found]
    if rows:
        yield Sheet("the first 1 KiB of a fresh interpreter", header, rows)


def fastest(found: Lines, nbytes: int) -> tuple[list[str], str, str]:
    """The methods that none is told to be faster than, the same in words, the margin in words."""
    there = {method: rows[nbytes] for method, rows in found.items() if nbytes in rows}
    rows = standing.of_methods(pandas.DataFrame.from_records([*there.values()]))
    margins = rows["margin"][1:]
    if margins.empty or margins.isna().any():
        return [], "not known", "n/a"
    group = rows["method"][~rows["apart"]].tolist()
    said = f"{len(group)} tied" if len(group) > 1 else group[0]
    return group, said, percent(as_percent(margins.max()))


def two(one: pandas.DataFrame, other: pandas.DataFrame, told: pandas.DataFrame) -> Iterator[Sheet]:
    """Two results method by method, a Sheet for each operation and memory, and one for the rest.

    `told` is two_runs.compared of them.
    """
    told = told[told["dtype"].isna() | told["dtype"].eq(DTYPE)]
    for operation, does in TRANSFERS.items():
        rows = told[told["operation"].eq(operation)]
        for memory in MEMORY:
            left, right = (lines(result, operation, memory) for result in (one, other))
            columns = {method: method for method in {**left, **right}}
            of_memory = rows[rows["memory"].eq(memory)].set_index(["method", "nbytes"])
            title = f"{memory}, {does.title}"
            yield from pairs(title, columns, left, right, of_memory.to_dict("index"))
        yield from together(f"all methods together, {does.title}", rows[rows["method"].eq(ALL)])
    columns = {"link": "link", "copy": "host copy"}
    left, right = (
        {name: lines(result, name).get(None, {}) for name in columns} for result in (one, other)
    )
    rows = told[told["operation"].isin(columns)].set_index(["operation", "nbytes"])
    yield from pairs("references", columns, left, right, rows.to_dict("index"))


def pairs(
    title: str,
    columns: Mapping[str, str],
    left: Lines,
    right: Lines,
    told: Mapping[Any, Mapping[str, Any]],
) -> Iterator[Sheet]:
    """A Sheet of left > right, left < right or left ~ right (not told apart), if there is any.

    `told` has two_runs.compared's rows by column and size.
    """
    sheet = Sheet(title, ["size", *columns.values(), "noise"])
    for nbytes in sizes(left, right):
        rows = {name: told[name, nbytes] for name in columns if (name, nbytes) in told}
        cells = []
        for name in columns:
            one, other = (cell(found, name, nbytes) for found in (left, right))
            cells.append(f"{one} {sign(rows[name]) if name in rows else '|'} {other}")
        noise = max((row["margin"] for row in rows.values()), default=math.nan)
        sheet.rows.append([size(nbytes), *cells, percent(as_percent(noise))])
    if sheet.rows:
        yield sheet


def together(title: str, rows: pandas.DataFrame) -> Iterator[Sheet]:
    """A Sheet of what all methods did, `rows` of two_runs.compared: who is faster, by how much."""
    memories = [memory for memory in MEMORY if rows["memory"].eq(memory).any()]
    sheet = Sheet(title, ["size", *(name for memory in memories for name in (memory, "noise"))])
    told = rows.set_index(["memory", "nbytes"]).to_dict("index")
    for nbytes in sorted(rows["nbytes"].unique()):
        sheet.rows.append([size(nbytes)])
        for memory in memories:
            row = told.get(
                (memory, nbytes), {"apart": False, "change": math.nan, "margin": math.nan}
            )
            change, noise = (percent(as_percent(abs(row[name]))) for name in ("change", "margin"))
            sheet.rows[-1] += [f"{sign(row)} {change}", noise]
    if sheet.rows:
        yield sheet


def sign(row: Mapping[str, Any]) -> str:
    """>: left is faster; <: right is; ~: they cannot be told apart."""
    return "~" if not row["apart"] else "<" if row["change"] > 0 else ">"


def count(told: pandas.DataFrame) -> tuple[int, int, int]:
    """How many rows of two_runs.compared there are, in how many left is faster, in how many right.

    Of transfers alone, all dtypes.
    """
    signs = [sign(row) for row in told[told["operation"].isin(TRANSFERS)].to_dict("records")]
    return len(signs), signs.count(">"), signs.count("<")


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
