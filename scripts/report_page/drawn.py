"""One of the report's charts, for a file, which says what it is of."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import altair
import pandas

from scripts.answers import doubts
from scripts.change_points import over_time
from scripts.reading import points
from scripts.reading.chosen import transfers, unabbreviated, why_none
from scripts.reading.points import RUN
from scripts.recording import provenance
from scripts.report_page import look, page
from scripts.report_page.chart_data import THERE
from scripts.report_page.charts import CHARTS, OVER_TIME
from scripts.report_page.charts.back import INTO as BACK
from scripts.words.formats import count, day, listed, size
from scripts.words.vocabulary import MEMORY, TRANSFERS

NAMES = *CHARTS, *OVER_TIME
# What an array is transferred into, in a word: the operations that do so.
INTO = {
    word: [name for name, into in {**THERE, **BACK}.items() if into == f"{word} array"]
    for word in ("existing", "new")
}
BY_WAY = "ordinary", "many"  # charts
WIDE = 125  # characters of the caption on a line


def chart(
    name: str,
    machine: str | None = None,
    results: str | Path = points.RESULTS,
    *,
    memory: str | None = None,
    operation: str | None = None,
    nbytes: str | None = None,
) -> altair.TopLevelMixin:
    """The chart `name`, with its legend, and what it is of: GPU, link, commit and date.

    Of transfers from, or into, this `memory` alone, by this `operation` of INTO, of arrays of
    `nbytes` ('1 MiB'); `history` and `machines` show one memory and operation, `history` one size.
    UserError, ValueError: there is nothing to draw.
    """
    if name == "machines" and machine is not None:
        raise ValueError(f"machines shows all of them, and so not {machine!r} alone")
    if name in BY_WAY and (memory or operation):
        raise ValueError(f"{name} has ways, and neither a memory nor an operation to choose")
    table, left_out = points.load(results)
    if name != "machines":
        table = of_machine(table, machine, left_out)
    newest = page.newest(table)
    about = [of_run(run, results, left_out) for _, run in page.by_machine(newest)]
    of_size = None if nbytes is None else measured(newest, nbytes)
    if name in (*OVER_TIME, "machines"):
        memory, operation = memory or MEMORY[0], operation or "existing"
    if name in OVER_TIME:
        all_sizes = newest.loc[newest["operation"].isin(TRANSFERS), "nbytes"]
        of_size = of_size or int(all_sizes.max())
    words = [f"{memory} memory"] * bool(memory) + [f"{operation} array"] * bool(operation)
    words += [size(of_size)] if of_size else []
    series = ", ".join(words)
    if series:
        about.append(f"{series[0].upper()}{series[1:]}.")
    chosen = selected(table, memory, operation, of_size)
    made, found = (CHARTS | OVER_TIME)[name], None
    if name in CHARTS:
        found = made.draw(page.newest(chosen), static=True)
    elif len(transfers(chosen)):
        runs = over_time.of(table, results, left_out)
        histories = page.histories_of(table, runs, results)
        runs = over_time.changed(runs, look.methods(table))
        found = made.draw(chosen, histories, runs, static=True)
        number = count(chosen.groupby(RUN, observed=True).ngroups, "result", "results")
        about[-1] += f" {number} of this machine."
    if found is None:
        raise ValueError(
            f"There is nothing to draw: {name} has nothing of {series or 'this result'}"
        )
    lines = [*about, *textwrap.wrap(made.CAPTION, WIDE)]
    title = altair.TitleParams(
        made.TITLE, subtitle=lines, anchor="start", offset=14, fontSize=15, subtitleColor="#555"
    )
    return found.properties(title=title)


def of_machine(
    table: pandas.DataFrame, machine: str | None = None, left_out: Sequence[str] = ()
) -> pandas.DataFrame:
    """The rows of `machine`, which may be abbreviated, or of the fastest. ValueError if it has no
    results with a GPU, with what of it was left out."""
    rows = page.newest(table)
    there = rows[rows["operation"].eq("existing_array") & rows["status"].eq("ok")]
    if machine is None and len(there):
        machine = there.loc[there["gb_per_s"].idxmax(), "machine"]
    machine = machine and unabbreviated(machine, there["machine"].unique())
    if machine not in set(there["machine"]):
        of = "" if machine is None else f" of a machine {machine!r}"
        raise ValueError(f"There are no GPU results{of}{why_none(left_out, machine)}")
    return table[table["machine"].eq(machine)]


def measured(rows: pandas.DataFrame, text: str) -> int:
    """'1 MiB', '1mib' -> 1048576. ValueError if nothing of that size is in `rows`."""
    known = {size(one): int(one) for one in sorted(rows["nbytes"].dropna().unique())}
    for name, nbytes in known.items():
        if "".join(text.split()).lower() == name.replace(" ", "").lower():
            return nbytes
    raise ValueError(f"No array of {text!r} was measured there, but of {listed(known)}")


def selected(
    table: pandas.DataFrame, memory: str | None, operation: str | None, nbytes: int | None
) -> pandas.DataFrame:
    """The rows that are so, and those that have no such thing, as the link has no memory."""
    others = [one for word, names in INTO.items() if operation not in (None, word) for one in names]
    table = table[~table["operation"].isin(others)]
    for column, value in (("memory", memory), ("nbytes", nbytes)):
        if value:
            table = table[table[column].isna() | table[column].eq(value)]
    return table


def of_run(run: pandas.DataFrame, results: str | Path, left_out: list[str]) -> str:
    """'NVIDIA H100 80GB HBM3, PCIe Gen5 x16, commit 480cd8d3, measured 2026-11-26.'"""
    first = run.iloc[0]
    runs = provenance.beside(results, left_out, *map(str, first[RUN]))
    known = [first["gpu"] if isinstance(first["gpu"], str) else str(first["machine"])]
    known += [first["pcie_link"]] * isinstance(first["pcie_link"], str)
    known += [f"commit {first['commit'][:8]}", f"measured {day(run['measured'].max())}"]
    said = doubts.of(run, runs, left_out)
    return f"{', '.join(known)}.{f' Doubtful: {said[0]}' if said else ''}"
