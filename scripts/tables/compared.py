"""What compare.py shows: the results that a user names, as tables for a terminal or Markdown."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pandas
from asv.util import UserError
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.answers import doubts, first, ways
from scripts.reading import chosen, points, two_runs
from scripts.recording import provenance
from scripts.tables import noise, several, side_by_side
from scripts.tables.several import RATIO
from scripts.tables.side_by_side import Sheet
from scripts.words.markdown import escaped
from scripts.words.shown import plain, plain_lines, say_left_out
from scripts.words.vocabulary import ALL, TRANSFERS

Parts = Iterator[Sheet | str]
METHODS_LEGEND = (
    "Marked: the fastest, with all that cannot be told from it. Noise: what numbers of a column "
    "must differ by to be told apart, at 99 %."
)
BY_RATIO = (
    "Methods are compared by their ratios in the visits that measured them in turn; the numbers "
    "are of the seconds, in which there is also what the host drifted by."
)
BY_SECONDS = (
    "The methods were not measured in turn: what the host drifted by from one to the next is in "
    "the comparison, too."
)
TWO_LEGEND = (
    f"{RATIO}: how many times as long right takes; ~ cannot be told from 1, | only one was "
    "measured. Noise: what must lie between two numbers for them to be told apart, at 99 %."
)
TWO_BY_RATIO = (
    "A method is compared by what it did beside the others; all methods together by their "
    "seconds, in which there is also what the host drifted by."
)
MANY_LEGEND = (
    "Marked: the fastest, with all that cannot be told from it at 99 %, by seconds, in which there "
    "is what the hosts drifted by."
)
UNITS = "one float32 array, µs below 1 MiB and GB/s from there on"
WAYS_OF = "an ordinary array"  # the first of the sheets that ways.of is about


def where(result: pandas.DataFrame) -> str:
    """'nvidia-h200, commit 0d3bb95a, Python 3.12'"""
    first = result.iloc[0]
    return f"{first['machine']}, commit {first['commit'][:8]}, Python {first['python']}"


class Recorded(NamedTuple):
    """All results, and what was left out of them."""

    table: pandas.DataFrame
    left_out: Sequence[str] = ()

    def runs(self, result: pandas.DataFrame) -> list[dict[str, Any]]:
        """The runs behind `result`: a broken file of them is none."""
        return provenance.beside(points.RESULTS, [], *result[points.RUN].iloc[0])

    def answers(self, result: pandas.DataFrame) -> list[str]:
        """What `result` says, in sentences, what makes it doubtful at their head."""
        return first.of(result, self.table, self.runs(result), (), self.left_out)

    def title(self, result: pandas.DataFrame) -> str:
        """Of which result it is, marked if something makes it doubtful."""
        return where(result) + " (doubtful)" * bool(self.doubts(result))

    def doubts(self, result: pandas.DataFrame) -> list[str]:
        return doubts.of(result, self.runs(result), self.left_out)

    def titles(self, results: Mapping[str, pandas.DataFrame]) -> str:
        """The same of several results, and what makes them doubtful."""
        lines = [f"{name}: {self.title(result)}" for name, result in results.items()]
        lines += [
            f"- {name}, doubtful: {doubt}"
            for name, result in results.items()
            for doubt in self.doubts(result)
        ]
        return "\n".join(lines)


def of_one(result: pandas.DataFrame, recorded: Recorded) -> Parts:
    """What to show of one result: sheets and lines of text, the answers first."""
    yield recorded.title(result)
    if answers := recorded.answers(result):
        yield points_of(answers)
    sheets = [*side_by_side.methods(result)]
    yield f"{UNITS}:" if sheets else "Nothing of float32 was measured"
    for sheet in sheets:
        if sheet.title.startswith(WAYS_OF):
            yield points_of(ways.of(result, recorded.runs(result)))
        yield sheet
    if any(sheet.marks for sheet in sheets):
        yield f"{METHODS_LEGEND} {BY_RATIO if result['relative'].notna().any() else BY_SECONDS}"
    yield noise.said_of(result)


def points_of(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def of_two(one: pandas.DataFrame, other: pandas.DataFrame, recorded: Recorded) -> Parts:
    """What to show of two results: sheets and lines of text."""
    yield recorded.titles({"left": one, "right": other})
    told = two_runs.compared(one, other)
    sheets = list(several.two(one, other, told))
    if not sheets:
        raise chosen.NoSuchResult("The two have measured nothing of float32")
    yield f"{UNITS}:"
    yield from sheets
    ratios = told["by_ratio"].any()
    yield f"{TWO_LEGEND} {TWO_BY_RATIO}" if ratios else TWO_LEGEND
    together = told["method"].eq(ALL)
    both, left, right = several.count(told[~together])
    yield (
        f"Of the {both} transfers that both have, all dtypes, left is faster in {left} and right "
        f"in {right}; the others cannot be told apart."
    )
    if ratios:
        both, left, right = several.count(told[together])
        yield (
            f"Of {both} points that both have measured in turn, left is faster in {left} with all "
            f"methods together, and right in {right}."
        )


def of_many(results: Sequence[pandas.DataFrame], recorded: Recorded) -> Parts:
    """What to show of more than two results: sheets and lines of text."""
    named = {f"result {number}": result for number, result in enumerate(results, 1)}
    yield recorded.titles(named)
    sheets = list(several.many(named))
    if not sheets:
        raise chosen.NoSuchResult("They have measured nothing of float32")
    yield f"{UNITS}:"
    yield from sheets
    yield MANY_LEGEND


def of_last(recorded: Recorded) -> Parts:
    """What was measured last and, if that is of no GPU, the fastest GPU that is recorded."""
    last, fastest = chosen.last_measured(recorded.table)
    if fastest is None or last["operation"].isin(TRANSFERS).any():
        yield from of_one(last, recorded)
        return
    yield f"{where(last)}: measured here, and no GPU. compare.py {last.iloc[0]['machine']} shows it"
    yield "Recorded, not measured here:"
    yield from of_one(fastest, recorded)


def answers_of(results: Sequence[pandas.DataFrame], recorded: Recorded) -> Parts:
    """The answers alone; without `results` those of what was measured last or, if that is of no
    GPU, of the fastest GPU that is recorded."""
    there = ""
    if not results:
        last, fastest = chosen.last_measured(recorded.table)
        if fastest is not None and not last["operation"].isin(TRANSFERS).any():
            there = "Recorded, not measured here: "
        results = [fastest if there else last]
    for result in results:
        yield there + recorded.title(result)
        answers = recorded.answers(result)
        yield points_of(answers) if answers else "No GPU was measured, so there is nothing to say"


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
        for at, name in enumerate(part.header):
            justify: Any = "right" if at else "left"
            table.add_column(Text(plain_lines(name)), justify=justify, no_wrap=True)
        for row in marked(part, "{}*"):
            table.add_row(*map(Text, map(plain, row)))
        console.print(table)


def markdown(part: Sheet | str) -> str:
    """Lines of text, or a sheet with its title, as Markdown."""
    if isinstance(part, str):
        lines = part.splitlines()
        return "\n".join(escaped(line).replace(r"\- ", "- ", 1) for line in lines)
    safe = Sheet(
        escaped(part.title),
        [escaped(name).replace("\n", "<br>") for name in part.header],
        [[*map(escaped, row)] for row in part.rows],
        part.marks,
    )
    ruler = [":---", *("---:" for _ in part.header[1:])]
    rows = [safe.header, ruler, *marked(safe, "**{}**")]
    return "\n".join([f"**{safe.title}**", "", *(f"| {' | '.join(row)} |" for row in rows)])


def show(words: Sequence[str], as_markdown: bool = False, answers_alone: bool = False) -> None:
    """Print the results that `words` name; of none, what was measured last.

    Exits with one line if there is no such result.
    """
    if not any(points.RESULTS.glob("*/*.json")):
        sys.exit(chosen.NOTHING)
    try:
        recorded = Recorded(*points.load())
        say_left_out(recorded.left_out)
        parts = list(of(words, recorded, answers_alone))
    except (UserError, chosen.NoSuchResult) as error:
        sys.exit(plain(" ".join(str(error).split())))
    if as_markdown:
        print("\n\n".join(map(markdown, parts)))
    else:
        terminal(parts)


def of(words: Sequence[str], recorded: Recorded, answers_alone: bool) -> Parts:
    """What to show of the results that `words` name."""
    results = [chosen.choose(recorded.table, word) for word in words]
    if len({where(result) for result in results}) < len(results):
        raise chosen.NoSuchResult(f"One result twice: {', '.join(map(where, results))}")
    if answers_alone:
        return answers_of(results, recorded)
    if not results:
        return of_last(recorded)
    if len(results) == 1:
        return of_one(results[0], recorded)
    if len(results) == 2:
        return of_two(results[0], results[1], recorded)
    return of_many(results, recorded)
