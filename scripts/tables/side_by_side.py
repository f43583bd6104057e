"""One recorded result: its methods, or ways, side by side.

They come as sheets, tables of text for compare.py to print: sizes go across, microseconds below
1 MiB and GB/s from there on. A result is as chosen.py has it. Who is the fastest is said only where
answers/standings.py can tell.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas

from scripts.answers import choosing, standings
from scripts.answers.standings import Lines, Rows, Standing
from scripts.reading import chosen
from scripts.words.formats import duration, percent, rate, size
from scripts.words.vocabulary import COLD, IN_RATES, KINDS, MEMORY, TRANSFERS, kind

# What is shown, in this order: title, operation and memory, and whose line stands beside it.
SHOWN = [
    *(
        (f"{memory}, {does.title}", operation, memory, beside)
        for operation, does in TRANSFERS.items()
        for memory, beside in zip(MEMORY, ("link", "host copy"), strict=True)
    ),
    ("an ordinary array, to the device, by way", "ordinary_warm", None, None),
    ("256 small arrays, to the device: of each array (queued: pinned)", "many_arrays", None, None),
    ("pinned, back into an existing NumPy array", "existing_host_array", "pinned", "link back"),
    ("pageable, back into an existing NumPy array", "existing_host_array", "pageable", None),
    ("pageable, back into a new NumPy array", "new_host_array", "pageable", None),
]
LIMITS = {"link": "link", "host copy": "copy", "link back": "link_back"}  # operations
BEFOREHAND = "registered", "queued"  # ways of what is pinned beforehand: they are not compared


@dataclass
class Sheet:
    """A table of text with a title; `marks` are the (row, column) of what is fastest."""

    title: str
    header: list[str]
    rows: list[list[str]] = field(default_factory=list)
    marks: set[tuple[int, int]] = field(default_factory=set)


def lines(result: pandas.DataFrame, operation: str, memory: str | None = None) -> Lines:
    """What was measured of one operation, with float32."""
    return standings.by_name(standings.of(result, operation, memory))


def alone(result: pandas.DataFrame, operation: str) -> Rows:
    """The same of one that knows neither methods nor ways, as the link."""
    return lines(result, operation).get(operation, {})


def across(title: str, nbytes: Sequence[int]) -> Sheet:
    """A sheet with these sizes across, and what the numbers below them are in."""
    units = ["µs" if one < IN_RATES else "GB/s" for one in nbytes]
    return Sheet(title, ["size", *map(size, nbytes)], [["unit", *units]])


def cells(name: str, rows: Rows, nbytes: Iterable[int]) -> list[str]:
    """`name` and the numbers of `rows` at these sizes."""
    return [name, *(cell(rows[one], one) if one in rows else "n/a" for one in nbytes)]


def cell(row: Mapping[str, Any], nbytes: int) -> str:
    return rate(1e6 * row["seconds"] if nbytes < IN_RATES else row["gb_per_s"])


def methods(result: pandas.DataFrame) -> Iterator[Sheet]:
    """The methods of one result side by side, a Sheet for each operation and memory.

    Beside pinned memory stands the link's ceiling, beside pageable the host's own copy. Only that
    copy, if no method was measured.
    """
    for title, operation, memory, limit in SHOWN:
        found = standings.of(result, operation, memory)
        named = standings.by_name(found).items()
        beside = {name: rows for name, rows in named if name.split()[0] in BEFOREHAND}
        found = standings.without(found, *beside)
        if limit:
            beside[limit] = alone(result, LIMITS[limit])
        yield from in_turn(title, found, beside)
    yield from cold_start(result)
    copy = alone(result, "copy")
    if copy and chosen.transfers(result).empty:
        sheet = across("NumPy to NumPy, on the host", sorted(copy))
        sheet.rows.append(cells("host copy", copy, sorted(copy)))
        yield sheet


def in_turn(title: str, found: Sequence[Standing], beside: Lines) -> Iterator[Sheet]:
    """A Sheet of what was measured in turn, with what stands `beside`; none if nothing was."""
    there = [one.nbytes for one in found]
    sheet, lines = across(title, there), standings.by_name(found)
    for name, rows in [*lines.items(), *beside.items()]:
        if rows:
            sheet.rows.append(cells(name, rows, there))
    margins = [one.margin if len(one.rows) > 1 else math.nan for one in found]
    for column, (one, margin) in enumerate(zip(found, margins, strict=True), 1):
        if not math.isnan(margin):
            sheet.marks |= {(1 + list(lines).index(name), column) for name in one.best}
    if len(lines) > 1:
        sheet.rows.append(["noise", *map(percent, margins)])
    if found:
        yield sheet


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


def noise(result: pandas.DataFrame) -> str:
    """In words: how noisy a result is, above all how far the processes of a point lie apart."""
    if not result["processes"].sum():
        return "Nothing was recorded of the noise"
    rows = result[result["processes"].gt(1)]
    rows, copies = (rows[rows["operation"].eq(name)] for name in ("existing_array", "copy"))
    of = [kind(*row) for row in zip(rows["memory"], rows["nbytes"], strict=True)]
    rows = rows.assign(kind=pandas.Categorical(of, KINDS))
    if rows.empty:  # no GPU
        rows = copies.assign(kind="NumPy to NumPy")
    kinds = [*rows.groupby("kind", observed=True)]
    if not kinds:
        return "one process a point: nothing is known of the noise"
    spreads = ((name, found["process_spread"]) for name, found in kinds)
    apart = [f"{one.median():.1%} ({one.quantile(0.95):.0%}) {name}" for name, one in spreads]
    said = (
        f"{result['processes_quiet'].sum()} of {result['processes'].sum()} processes all the time "
        f"on a quiet core; the processes of a point differ by (median, 95th percentile) "
        f"{'; '.join(apart)}"
    )
    known = ((name, found["relative_sd"].dropna()) for name, found in kinds)
    ratios = [f"{sds.iloc[0]:.1%} {name}" for name, sds in known if len(sds)]
    if ratios:
        said += f"; the ratios of a method by (standard deviation) {'; '.join(ratios)}"
    return said
