"""What compare.py shows: the results that a user names, as tables for a terminal or Markdown."""

import sys
from collections.abc import Iterable, Iterator, Sequence

import pandas
from asv.util import UserError
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.reading import chosen, points, two_runs
from scripts.tables import side_by_side
from scripts.tables.side_by_side import Sheet
from scripts.words.markdown import escaped
from scripts.words.shown import plain, plain_lines, say_left_out
from scripts.words.vocabulary import ALL, TRANSFERS

Parts = Iterator[Sheet | str]
METHODS_LEGEND = (
    "fastest: marked, with all that cannot be told from it; noise: what numbers of a row must "
    "differ by to be told apart, at 99 %."
)
BY_RATIO = (
    "Methods are compared by their ratios in the visits that measured them in turn; GB/s are of "
    "the seconds, in which there is also what the host drifted by."
)
BY_SECONDS = (
    "The methods were not measured in turn: what the host drifted by from one to the next is in "
    "the comparison, too."
)
TWO_LEGEND = (
    "> left is faster; < right is faster; ~ not to be told apart; | only one was measured; noise: "
    "what two numbers must differ by to be told apart, at 99 %."
)
TWO_BY_RATIO = (
    "A method is compared by what it did beside the others; all methods together by their "
    "seconds, in which there is also what the host drifted by."
)


def where(result: pandas.DataFrame) -> str:
    """'nvidia-h200, commit 0d3bb95a, Python 3.12'"""
    first = result.iloc[0]
    return f"{first['machine']}, commit {first['commit'][:8]}, Python {first['python']}"


def of_one(result: pandas.DataFrame, copies: pandas.DataFrame | None = None) -> Parts:
    """What to show of one result: sheets and lines of text."""
    yield f"{where(result)}: GB/s of one float32 array"
    sheets = [*side_by_side.methods(result, result if copies is None else copies)]
    yield from sheets
    if not sheets:
        yield "Nothing of float32 was measured"
    if copies is not None:
        yield f"The host copy is what was measured here, on {copies.iloc[0]['machine']}."
    if any(sheet.marks for sheet in sheets):
        yield f"{METHODS_LEGEND} {BY_RATIO if result['relative'].notna().any() else BY_SECONDS}"
    yield side_by_side.noise(result)


def of_two(one: pandas.DataFrame, other: pandas.DataFrame) -> Parts:
    """What to show of two results: sheets and lines of text."""
    if where(one) == where(other):
        raise chosen.NoSuchResult(f"Both are {where(one)}")
    yield f"left: {where(one)}\nright: {where(other)}\nGB/s of one float32 array, left and right"
    told = two_runs.compared(one, other)
    sheets = list(side_by_side.two(one, other, told))
    if not sheets:
        raise chosen.NoSuchResult("The two have measured nothing of float32")
    yield from sheets
    ratios = told["by_ratio"].any()
    yield f"{TWO_LEGEND} {TWO_BY_RATIO}" if ratios else TWO_LEGEND
    together = told["method"].eq(ALL)
    both, left, right = side_by_side.count(told[~together])
    yield (
        f"Of the {both} transfers that both have, all dtypes, left is faster in {left} and right "
        f"in {right}; the others cannot be told apart."
    )
    if ratios:
        both, left, right = side_by_side.count(told[together])
        yield (
            f"Of {both} points that both have measured in turn, left is faster in {left} with all "
            f"methods together, and right in {right}."
        )


def folders(words: Sequence[str]) -> set[str] | None:
    """The machines to read for the results that `words` name; None, which is all, if in doubt."""
    known = {path.parent.name for path in points.RESULTS.glob("*/machine.json")}
    named = {word if word in known else word.partition(":")[0] for word in words}
    return named if named <= known else None


def of_last(table: pandas.DataFrame) -> Parts:
    """What was measured last and, if that is of no GPU, the fastest GPU that is recorded."""
    last, fastest = chosen.last_measured(table)
    yield from of_one(last)
    if fastest is not None and not last["operation"].isin(TRANSFERS).any():
        yield "Recorded, not measured here:"
        copies = last["operation"].eq("copy") & last["status"].eq("ok")
        yield from of_one(fastest, last if copies.any() else None)


def marked(sheet: Sheet, mark: str) -> Iterator[list[str]]:
    """The rows of a sheet, what is fastest marked."""
    for index, row in enumerate(sheet.rows):
        yield [
            mark.format(cell) if (index, at) in sheet.marks else cell for at, cell in enumerate(row)
        ]


def terminal(parts: Iterable[Sheet | str]) -> None:
    console = Console(highlight=False)
    for part in parts:
        if isinstance(part, str):
            console.print(plain_lines(part), markup=False)
            continue
        console.print(
            Text(plain(part.title), "italic")
        )  # as the table's own, it would be as narrow
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for name in part.header:
            left = name in ("size", "method", "fastest")
            table.add_column(Text(plain(name)), justify="left" if left else "right", no_wrap=True)
        for row in marked(part, "{}*"):
            table.add_row(*map(Text, map(plain, row)))
        console.print(table)


def markdown(part: Sheet | str) -> str:
    """A line of text, or a sheet with its title, as Markdown."""
    if isinstance(part, str):
        return escaped(part)
    safe = Sheet(
        escaped(part.title),
        [*map(escaped, part.header)],
        [[*map(escaped, row)] for row in part.rows],
        part.marks,
    )
    ruler = ["---:" for _ in part.header]
    rows = [safe.header, ruler, *marked(safe, "**{}**")]
    return "\n".join([f"**{safe.title}**", "", *(f"| {' | '.join(row)} |" for row in rows)])


def show(words: Sequence[str], as_markdown: bool = False) -> None:
    """Print the results that `words` name, at most two; of none, what was measured last.

    Exits with one line if there is no such result.
    """
    if not any(points.RESULTS.glob("*/*.json")):
        sys.exit(chosen.NOTHING)
    try:
        table, left_out = points.load(machines=folders(words))
        say_left_out(left_out)
        results = [chosen.choose(table, word) for word in words]
        of_some = of_two if len(results) == 2 else of_one
        parts = list(of_some(*results) if results else of_last(table))
    except (UserError, chosen.NoSuchResult) as error:
        sys.exit(plain(" ".join(str(error).split())))
    if as_markdown:
        print("\n\n".join(map(markdown, parts)))
    else:
        terminal(parts)
