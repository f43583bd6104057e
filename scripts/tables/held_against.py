"""Results held against each other: two method by method, or any number by the fastest method.

Sheets as side_by_side.py has them. Each result has a letter; its numbers stand below each other and
below them how many times as long it takes as A, where that can be told.
"""

import math
import string
from collections.abc import Iterator, Mapping, Sequence

import pandas

from scripts.answers.standings import Lines, Rows
from scripts.reading import intervals
from scripts.tables.side_by_side import SHOWN, Sheet, across, alone, cells, lines
from scripts.words.formats import as_percent, percent, size, times
from scripts.words.vocabulary import ALL, DTYPE, MEMORY, TRANSFERS

LETTERS = string.ascii_uppercase
Changed = tuple[float, float]  # by how much the logarithm of the time is above A's; margin
Told = Mapping[tuple[str, int, int], Changed]  # by name, a result's place and size


def two(one: pandas.DataFrame, other: pandas.DataFrame, told: pandas.DataFrame) -> Iterator[Sheet]:
    """Two results method by method, a Sheet for each operation and memory, and one for the rest.

    `told` is two_runs.compared of them.
    """
    told = told[told["dtype"].isna() | told["dtype"].eq(DTYPE)]
    for operation, does in TRANSFERS.items():
        rows = told[told["operation"].eq(operation)]
        for memory in MEMORY:
            both = [lines(result, operation, memory) for result in (one, other)]
            names = dict.fromkeys(name for found in both for name in found)
            of_memory = rows[rows["memory"].eq(memory)]
            sides = {name: [found.get(name, {}) for found in both] for name in names}
            yield from held(f"{memory}, {does.title}", sides, of_two(of_memory))
        yield from together(f"all methods together, {does.title}", rows[rows["method"].eq(ALL)])
    for name, title in (("link", "the link"), ("copy", "the host's own copy")):
        of_one = told[told["operation"].eq(name)].assign(method="")
        sides = {"": [alone(result, name) for result in (one, other)]}
        yield from held(title, sides, of_two(of_one))


def of_two(rows: pandas.DataFrame) -> Told:
    """What `rows` of two_runs.compared say."""
    return {(row.method, 1, row.nbytes): (-row.change, row.margin) for row in rows.itertuples()}


def many(results: Sequence[pandas.DataFrame]) -> Iterator[Sheet]:
    """Any number of results, a Sheet for each operation and memory: of each the fastest method."""
    asked = [
        *((title, operation, memory) for title, operation, memory, _ in SHOWN),
        ("the link", "link", None),
        ("the link, back", "link_back", None),
        ("the host's own copy", "copy", None),
    ]
    for title, operation, memory in asked:
        sides = [least(lines(result, operation, memory)) for result in results]
        yield from held(title, {"": sides}, by_seconds(sides))


def least(found: Lines) -> Rows:
    """Of each size the row that takes the least time; of ways, those that need nothing before."""
    best: Rows = {}
    for name, rows in found.items():
        for nbytes, row in rows.items():
            known = best.get(nbytes)
            if name != "registered" and (known is None or row["seconds"] < known["seconds"]):
                best[nbytes] = row
    return best


def by_seconds(sides: Sequence[Rows]) -> Told:
    found = {}
    for number, rows in enumerate(sides):
        for nbytes in rows.keys() & sides[0].keys():
            one, other = sides[0][nbytes], rows[nbytes]
            margin = float(intervals.margin(one, other, same_run=False))
            found["", number, nbytes] = math.log(other["seconds"] / one["seconds"]), margin
    return found


def held(title: str, named: Mapping[str, Sequence[Rows]], told: Told) -> Iterator[Sheet]:
    """A Sheet of results held against the first, A, of them, if there is anything.

    `named` has the rows of each result by size; `told`, by how much the logarithm of the seconds,
    or of the ratio, is above A's, and by how much it must be.
    """
    there = sorted({nbytes for sides in named.values() for of in sides for nbytes in of})
    sheet = across(title, there)
    margins: dict[int, float] = {}
    for name, sides in named.items():
        for letter, rows in zip(LETTERS, sides, strict=False):
            sheet.rows.append(cells(f"{letter} {name}".strip(), rows, there))
        for number, letter in enumerate(LETTERS[1 : len(sides)], 1):
            found = {nbytes: told.get((name, number, nbytes)) for nbytes in there}
            sheet.rows.append([f"{letter}/A", *(ratio(found[nbytes]) for nbytes in there)])
            for nbytes, one in found.items():
                if one:
                    margins[nbytes] = max(one[1], margins.get(nbytes, 0.0))
    noise = (percent(as_percent(margins.get(nbytes, math.nan))) for nbytes in there)
    sheet.rows.append(["noise", *noise])
    if there:
        yield sheet


def ratio(told: Changed | None) -> str:
    """'1.07x', '~' where it is not told, '' where only one of the two was measured."""
    if told is None:
        return ""
    changed, margin = told
    return times(changed) if abs(changed) > margin else "~"


def together(title: str, rows: pandas.DataFrame) -> Iterator[Sheet]:
    """A Sheet of what all methods did, `rows` of two_runs.compared."""
    there = sorted(map(int, rows["nbytes"].unique()))
    sheet = Sheet(title, ["size", *map(size, there)])
    for memory in MEMORY:
        told = of_two(rows[rows["memory"].eq(memory)])
        if told:
            of = [told.get((ALL, 1, nbytes)) for nbytes in there]
            sheet.rows.append([f"{memory}, B/A", *map(ratio, of)])
            noise = [percent(as_percent(one[1])) if one else "" for one in of]
            sheet.rows.append(["noise", *noise])
    if there:
        yield sheet


def count(told: pandas.DataFrame) -> tuple[int, int, int]:
    """How many rows of two_runs.compared there are, in how many left is faster, in how many right.

    Of transfers alone, all dtypes.
    """
    rows = told[told["operation"].isin(TRANSFERS)]
    apart = rows.loc[rows["apart"], "change"]
    return len(rows), int(apart.lt(0).sum()), int(apart.gt(0).sum())
