"""Several results side by side: two of them method by method, or many.

Who is faster is said only where reading/two_runs.py and reading/intervals.py can tell.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy
import pandas

from scripts.reading import intervals
from scripts.tables.side_by_side import NOISE, Lines, Sheet, cell, head, lines, sizes
from scripts.words.formats import as_percent, percent
from scripts.words.vocabulary import ALL, DTYPE, MEMORY, TRANSFERS

RATIO = "right/left"


def two(one: pandas.DataFrame, other: pandas.DataFrame, told: pandas.DataFrame) -> Iterator[Sheet]:
    """Two results method by method, a Sheet for each operation and memory, and one for the rest.

    `told` is two_runs.compared of them.
    """
    told = told[told["dtype"].isna() | told["dtype"].eq(DTYPE)]
    for operation, does in TRANSFERS.items():
        rows = told[told["operation"].eq(operation)]
        for memory in MEMORY:
            left, right = (lines(result, operation, memory) for result in (one, other))
            of_memory = rows[rows["memory"].eq(memory)].set_index(["method", "nbytes"])
            title = f"{memory}, {does.title}"
            yield from pairs(title, left, right, of_memory.to_dict("index"))
        yield from together(f"all methods together, {does.title}", rows[rows["method"].eq(ALL)])
    columns = {"link": "link", "copy": "host copy"}
    left, right = (
        {name: lines(result, key).get(None, {}) for key, name in columns.items()}
        for result in (one, other)
    )
    rows = told[told["operation"].isin(columns)].replace({"operation": columns})
    rows = rows.set_index(["operation", "nbytes"])
    yield from pairs("references", left, right, rows.to_dict("index"))


def pairs(
    title: str, left: Lines, right: Lines, told: Mapping[Any, Mapping[str, Any]]
) -> Iterator[Sheet]:
    """A Sheet with both numbers of each name and size and their ratio, if there is any.

    `told` has two_runs.compared's rows by name and size.
    """
    columns = sizes(left, right)
    sheet = Sheet(title, head(columns))
    for name in {**left, **right}:
        both = [found.get(name, {}) for found in (left, right)]
        if not any(both):
            continue
        numbers = [[cell(rows, nbytes) for nbytes in columns] for rows in both]
        sheet.rows += [[f"{name}, left", *numbers[0]], ["right", *numbers[1]]]
        sheet.rows.append([RATIO, *(ratio(told.get((name, nbytes))) for nbytes in columns)])
    margins = [
        max((row["margin"] for (_, at), row in told.items() if at == nbytes), default=math.nan)
        for nbytes in columns
    ]
    if sheet.rows:
        sheet.rows.append([NOISE, *(percent(as_percent(margin)) for margin in margins)])
        yield sheet


def together(title: str, rows: pandas.DataFrame) -> Iterator[Sheet]:
    """A Sheet of what all methods did, `rows` of two_runs.compared: who is faster, by how much."""
    columns = [int(nbytes) for nbytes in sorted(rows["nbytes"].unique())]
    sheet = Sheet(title, head(columns))
    told = rows.set_index(["memory", "nbytes"]).to_dict("index")
    for memory in MEMORY:
        there = [told.get((memory, nbytes)) for nbytes in columns]
        if any(there):
            noise = (percent(as_percent(row["margin"])) if row else "n/a" for row in there)
            sheet.rows += [[f"{memory}, {RATIO}", *map(ratio, there)], [NOISE, *noise]]
    if sheet.rows:
        yield sheet


def ratio(row: Mapping[str, Any] | None) -> str:
    """By how much longer right takes, '1.07'; '~1.01' where the two cannot be told apart."""
    if row is None:
        return "|"
    return "~" * (not row["apart"]) + f"{math.exp(-row['change']):.2f}"


def sign(row: Mapping[str, Any]) -> str:
    """>: left is faster; <: right is; ~: they cannot be told apart."""
    return "~" if not row["apart"] else "<" if row["change"] > 0 else ">"


def count(told: pandas.DataFrame) -> tuple[int, int, int]:
    """How many rows of two_runs.compared there are, in how many left is faster, in how many right.

    Of transfers alone, all dtypes.
    """
    signs = [sign(row) for row in told[told["operation"].isin(TRANSFERS)].to_dict("records")]
    return len(signs), signs.count(">"), signs.count("<")


def many(results: Mapping[str, pandas.DataFrame]) -> Iterator[Sheet]:
    """Several results, a row each: of each operation and memory what its fastest method takes."""
    for operation, does in TRANSFERS.items():
        for memory in MEMORY:
            best = {
                name: {
                    nbytes: min(
                        (rows[nbytes] for rows in found.values() if nbytes in rows),
                        key=lambda row: row["seconds"],
                    )
                    for nbytes in sizes(found)
                }
                for name, found in (
                    (name, lines(result, operation, memory)) for name, result in results.items()
                )
            }
            yield from ranked(f"{memory}, {does.title}, the fastest library's", best)
    for operation, name in ("link", "link"), ("copy", "host copy"):
        found = {of: lines(result, operation).get(None, {}) for of, result in results.items()}
        yield from ranked(name, found)


def ranked(title: str, found: Lines) -> Iterator[Sheet]:
    """A Sheet with a row for each key of `found`; marked is what none is told to be faster than."""
    columns = sizes(found)
    sheet = Sheet(title, head(columns))
    sheet.rows = [[name, *(cell(rows, at) for at in columns)] for name, rows in found.items()]
    for at, nbytes in enumerate(columns, 1):
        there = {of: rows[nbytes] for of, rows in enumerate(found.values()) if nbytes in rows}
        best = min(there.values(), key=lambda row: row["seconds"])
        margins = {of: intervals.margin(row, best, same_run=False) for of, row in there.items()}
        if not numpy.isnan([*margins.values()]).any():
            sheet.marks |= {
                (of, at)
                for of, row in there.items()
                if numpy.log(row["seconds"] / best["seconds"]) <= margins[of]
            }
    if columns:
        yield sheet
