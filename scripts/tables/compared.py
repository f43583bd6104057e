"""What compare.py shows of the results that a user names: the answers first, then tables.

printed.py prints them.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import pandas
from asv.util import UserError

from scripts.answers import doubts, first, ways
from scripts.change_points import history, in_words, over_time
from scripts.reading import chosen, points, two_runs
from scripts.reading.points import RUN
from scripts.reading.results_file import OLDER
from scripts.recording import provenance
from scripts.tables import held_against, printed, side_by_side
from scripts.tables.held_against import LETTERS
from scripts.tables.side_by_side import Sheet
from scripts.words.formats import count, day, duration, rate, size
from scripts.words.shown import plain, say_left_out
from scripts.words.vocabulary import ALL, TRANSFERS

Parts = Iterator[Sheet | str]
METHODS_LEGEND = (
    "Marked: the fastest, with all that cannot be told from it; noise: by how much two numbers of "
    "a column must differ to be told apart, at 99 %."
)
BY_RATIO = (
    "Methods are compared by their ratios in the visits that measured them in turn; the numbers "
    "are of the seconds, in which there is also what the host drifted by."
)
BY_SECONDS = (
    "The methods were not measured in turn: what the host drifted by from one to the next is in "
    "the comparison, too."
)
HELD_LEGEND = (
    "B/A: how many times as long B takes as A; ~: that cannot be told, at 99 %; noise: by how much "
    "two numbers must differ to be told apart."
)
TWO_BY_RATIO = (
    "A method is compared by what it did beside the others; all methods together by their "
    "seconds, in which there is also what the host drifted by."
)
MANY_LEGEND = "Of each result it is the method, or way, that takes the least time at that size."


class Recorded(NamedTuple):
    """Beside a result stand all others, its runs (provenance.beside), and what was left out."""

    table: pandas.DataFrame
    left_out: list[str]

    def runs(self, result: pandas.DataFrame) -> list[dict[str, object]]:
        return provenance.beside(points.RESULTS, self.left_out, *map(str, result[RUN].iloc[0]))

    def changed(self, result: pandas.DataFrame) -> list[str]:
        """What changed last in the history of its machine up to it, if it has one."""
        first, table = result.iloc[0], self.table
        same = table["machine"].eq(first["machine"]) & table["commit_date"].le(first["commit_date"])
        runs = over_time.of(table[same], points.RESULTS, self.left_out)
        try:
            return in_words.last(*history.of_table(table[same], runs, points.RESULTS))
        except chosen.NoSuchResult:
            return []

    def doubts(self, result: pandas.DataFrame) -> list[str]:
        return doubts.of(result, self.runs(result), self.left_out)


def where(result: pandas.DataFrame) -> str:
    """'nvidia-h200, commit 0d3bb95a, measured 2026-11-26, Python 3.12'"""
    first = result.iloc[0]
    which = f"{first['machine']}, commit {first['commit'][:8]}"
    return f"{which}, measured {day(result['measured'].max())}, Python {first['python']}"


def answers(result: pandas.DataFrame, recorded: Recorded) -> Parts:
    """Which result it is, and what it says, a sentence each, its doubts before them."""
    doubtful = recorded.doubts(result)
    yield where(result) + " (doubtful)" * bool(doubtful)
    runs = recorded.runs(result)
    changed = recorded.changed(result)
    said = first.of(result, recorded.table, runs, changed, recorded.left_out)
    copies = side_by_side.alone(result, "copy")
    if not said:
        said = [f"Doubtful: {doubt}" for doubt in doubtful]
        if copies:
            small, large = min(copies), max(copies)
            said.append(
                f"NumPy to NumPy, on the host alone: {size(small)} takes "
                f"{duration(copies[small]['seconds'])}, and {size(large)} goes at "
                f"{rate(copies[large]['gb_per_s'])} GB/s."
            )
    yield from (f"- {one}" for one in said)


def of_one(result: pandas.DataFrame, recorded: Recorded) -> Parts:
    """What to show of one result: sheets and lines of text."""
    doubtful = " (doubtful)" * bool(recorded.doubts(result))
    said = list(answers(result, recorded))
    on_ways = (f"- {one}" for one in ways.of(result, recorded.runs(result)))
    yield from dict.fromkeys([*said, *on_ways])
    sheets = [*side_by_side.methods(result)]
    for sheet in sheets:
        sheet.title += doubtful
        yield sheet
    if not sheets:
        yield "Nothing of float32 was measured"
    if any(sheet.marks for sheet in sheets):
        yield f"{METHODS_LEGEND} {BY_RATIO if result['relative'].notna().any() else BY_SECONDS}"
    yield side_by_side.noise(result)


def held(
    results: Sequence[pandas.DataFrame], sheets: Iterable[Sheet], who: str, recorded: Recorded
) -> Parts:
    """Which result each letter is, what makes it doubtful, and `sheets` of these results.

    NoSuchResult if two are the same, or there is no sheet: `who` they are.
    """
    seen: dict[str, str] = {}
    doubtful = []
    for letter, result in zip(LETTERS, results, strict=False):
        which = f"{where(result)}, {result.iloc[0]['environment']}"
        if which in seen:
            raise chosen.NoSuchResult(f"{seen[which]} and {letter} are both {where(result)}")
        seen[which] = letter
        found = recorded.doubts(result)
        doubtful += [letter] * bool(found)
        yield f"{letter}: {where(result)}" + " (doubtful)" * bool(found)
        yield from (f"- Doubtful: {one}" for one in found)
    sheet = None
    for sheet in sheets:
        if doubtful:
            sheet.title += f" (doubtful: {', '.join(doubtful)})"
        yield sheet
    if not sheet:
        raise chosen.NoSuchResult(f"{who} have measured nothing of float32")


def of_two(one: pandas.DataFrame, other: pandas.DataFrame, recorded: Recorded) -> Parts:
    """What to show of two results: sheets and lines of text."""
    told = two_runs.compared(one, other)
    yield from held([one, other], held_against.two(one, other, told), "The two", recorded)
    ratios = told["by_ratio"].any()
    yield f"{HELD_LEGEND} {TWO_BY_RATIO}" if ratios else HELD_LEGEND
    together = told["method"].eq(ALL)
    both, left, right = held_against.count(told[~together])
    yield (
        f"Of the {both} transfers that both have, all dtypes, A is faster in {left} and B in "
        f"{right}; the others cannot be told apart."
    )
    if ratios:
        both, left, right = held_against.count(told[together])
        yield (
            f"Of {both} points that both have measured in turn, A is faster in {left} with all "
            f"methods together, and B in {right}."
        )


def of_many(results: Sequence[pandas.DataFrame], recorded: Recorded) -> Parts:
    """What to show of more than two: of each the fastest method, held against the first."""
    yield from held(results, held_against.many(results), "They", recorded)
    yield f"{MANY_LEGEND} {HELD_LEGEND}"


def of_last(recorded: Recorded, sentences: bool = False) -> Parts:
    """What was measured last; if that is of no GPU, the fastest GPU that is recorded before it.

    Of each the `sentences` alone, or all of it.
    """
    last, fastest = chosen.last_measured(recorded.table)
    shown = answers if sentences else of_one
    if fastest is not None and not last["operation"].isin(TRANSFERS).any():
        yield "Recorded, not measured here:"
        yield from shown(fastest, recorded)
        yield "Measured here:"
    yield from shown(last, recorded)


def shorter(left_out: Iterable[str], words: Sequence[str]) -> Iterator[str]:
    """The same, of the machines that are asked for; what is of an older version, by its file."""
    older: Counter[str] = Counter()
    for line in left_out:
        folder, _, file = line.partition("/")
        asked = (word.startswith(folder) or folder.startswith(word.split(":")[0]) for word in words)
        if words and file and not any(asked):
            continue
        if line.endswith(OLDER):
            older[line.partition(": ")[0]] += 1
        else:
            yield line
    for file, number in older.items():
        yield f"{file}: {count(number, 'benchmark', 'benchmarks')} of {OLDER}"


def show(words: Sequence[str], as_markdown: bool = False, sentences: bool = False) -> None:
    """Print the results that `words` name; of none, what was measured last.

    Exits with one line if there is no such result.
    """
    if not any(points.RESULTS.glob("*/*.json")):
        sys.exit(chosen.NOTHING)
    try:
        recorded = Recorded(*points.load())
        try:
            results = [chosen.choose(recorded.table, word) for word in words]
            parts = list(asked_for(results, recorded, sentences))
        finally:
            say_left_out(shorter(dict.fromkeys(recorded.left_out), words))
    except (UserError, chosen.NoSuchResult) as error:
        sys.exit(plain(" ".join(str(error).split())))
    if as_markdown:
        print("\n\n".join(map(printed.markdown, parts)))
    else:
        printed.terminal(parts)


def asked_for(results: Sequence[pandas.DataFrame], recorded: Recorded, sentences: bool) -> Parts:
    if not results:
        return of_last(recorded, sentences)
    if sentences:
        return (part for result in results for part in answers(result, recorded))
    if len(results) == 1:
        return of_one(results[0], recorded)
    if len(results) == 2:
        return of_two(results[0], results[1], recorded)
    return of_many(results, recorded)
