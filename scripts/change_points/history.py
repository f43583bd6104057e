"""The change points of a machine's history: at which commits its transfers became slower or faster,
by how much, and what changed there in pins, driver and kernel. detector.py finds them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
from asv.util import UserError
from pandas import DataFrame, Series

from scripts.change_points import detector, families, least, over_time, what_changed
from scripts.change_points.change import Change
from scripts.change_points.families import SERIES
from scripts.reading import points
from scripts.reading.chosen import NOTHING, NoSuchResult, why_none
from scripts.reading.results_file import results_files
from scripts.recording import provenance
from scripts.words import thresholds
from scripts.words.formats import as_percent, some
from scripts.words.vocabulary import ALL, LINK, TRANSFERS, direction

TIMES = *TRANSFERS, "link"  # operations
Ends = Sequence[tuple[str, str]]  # two commits, each with its environment
FIRST = "driver", "cuda driver", "kernel"  # facts that are said first


def of_machine(results: str | Path, machine: str) -> tuple[list[Change], list[str]]:
    """The changes, the oldest first; in how many results, and what could not be judged, in words.

    NoSuchResult if there is nothing to judge at all.
    """
    try:
        table, left_out = points.load(results, machines={machine})
    except (UserError, OSError) as error:
        raise NoSuchResult(f"No history: {str(error).splitlines()[0]}") from None
    if table.empty:
        known = sorted({found[2] for found in results_files(results)} - {machine})
        why = why_none(left_out, machine)
        if not (known or why):
            raise NoSuchResult(NOTHING)
        others = f"; there are: {some(known)}" if known else ""
        raise NoSuchResult(f"No results of a machine {machine!r}{why}{others}")
    runs = over_time.of(table, results, left_out)
    changes, (seen, *said) = of_table(table, runs, results)
    return changes, [seen, *(f"Left out: {line}" for line in left_out), *said]


def of_table(
    table: DataFrame, runs: DataFrame, results: str | Path
) -> tuple[list[Change], list[str]]:
    """The same of the rows `table` of points.py, all of one machine, whose files are in `results`;
    `runs` is what over_time.of has of them.

    NoSuchResult if they are of fewer than two commits.
    """
    machine, rows = table["machine"].iloc[0], measured(table)
    commits = rows.drop_duplicates("place").set_index("place")
    doubtful = over_time.doubtful(runs)
    changes: list[Change] = []
    said: list[str] = []
    judged: list[least.Judged] = []
    few = total = left = 0
    for family in families.of(rows):
        method, memory, way, by_ratio, logs = family
        few += int((logs.notna().sum(axis=1) < detector.FEWEST).sum())
        total += len(logs)
        sizes = logs.index.get_level_values("nbytes")
        bounds = numpy.log1p([thresholds.unchanged(memory, int(one), by_ratio) for one in sizes])
        least_of_each = Series(bounds, logs.index)
        found, alone = detector.together(detector.find(logs, least_of_each, by_ratio), logs)
        left += alone
        if not found:
            judged.append((family, least_of_each))
        of = rows["memory"].eq(memory) & rows["direction"].eq(way)
        of &= rows["method"].eq(method) | (method == ALL)
        last = rows[of].drop_duplicates("place", keep="last").set_index("place")
        for place, before, members in found:
            percent, low, high = map(as_percent, detector.size(members))
            ends = [(last["commit"][at], str(last["environment"][at])) for at in (before, place)]
            change = Change(
                commit=ends[1][0],
                date=commits["commit_date"][place].to_pydatetime(),
                before=ends[0][0],
                candidate=detector.is_candidate(members),
                method=method,
                memory=memory,
                direction=way,
                by_ratio=by_ratio,
                percent=percent,
                low_99=low,
                high_99=high,
                families=by_operation(members, logs),
                doubts={at: doubtful[at] for at, _ in ends if at in doubtful},
            )
            fill_in_what_changed(change, ends, results, machine, said)
            changes.append(change)
    seen = (
        f"in {len(commits)} commits; {total - few} of {total} series have enough of them "
        f"({detector.FEWEST}) to say"
    )
    if sentence := least.of_libraries(judged):
        of_library = any(change.method not in (ALL, LINK["method"]) for change in changes)
        seen += sentence + " where none was" * of_library
    if left:
        said.append(
            f"{left} steps that few series of a method share are left out: of {total - few} "
            "series some step by chance"
        )
    changes.sort(key=lambda change: (change.date, change.commit, -abs(change.percent)))
    said += over_time.of_last_driver(runs, changes)
    named = {commit for change in changes for commit in change.doubts}
    said += over_time.doubts_in_words(
        {at: words for at, words in doubtful.items() if at not in named}
    )
    return changes, [seen, *dict.fromkeys(said)]


def measured(table: DataFrame) -> DataFrame:
    """The times of a machine: a row a series and commit.

    `place` counts the commits, from 0. A commit measured in several environments is one all the
    same (two odd results of it would pass for a change): what was measured last of it counts.
    """
    rows = table[table["status"].eq("ok") & table["operation"].isin(TIMES)].copy()
    link = rows["operation"].eq("link")
    for name, value in LINK.items():
        rows[name] = rows[name].astype(object).where(~link, value)
    for name in "commit", "operation":
        rows[name] = rows[name].astype(str)
    rows["direction"] = rows["operation"].map(direction)
    rows = rows.sort_values(["commit_date", "measured"], kind="stable")
    commits = {commit: place for place, commit in enumerate(rows["commit"].unique())}
    if len(commits) < 2:
        of = f"of one commit only, {next(iter(commits))[:8]}" if commits else "of no transfer"
        raise NoSuchResult(
            f"{table['machine'].iloc[0]} has results {of}: a history takes "
            f"{detector.FEWEST} commits"
        )
    rows["place"] = rows["commit"].map(commits)
    return rows.drop_duplicates(["method", "memory", *SERIES, "place"], keep="last")


def by_operation(members: Sequence[detector.Step], logs: DataFrame) -> list[dict[str, Any]]:
    """The steps of a change by operation, as Change has them."""
    found = []
    for operation in sorted({step.series[0] for step in members}):
        moved = sorted(
            (step for step in members if step.series[0] == operation), key=lambda step: step.series
        )
        found.append(
            {
                "operation": operation,
                "percent": as_percent(numpy.median([step.size for step in moved])),
                "of": int((logs.loc[operation].notna().sum(axis=1) >= detector.FEWEST).sum()),
                "series": [
                    {"nbytes": int(nbytes), "dtype": dtype, "percent": as_percent(step.size)}
                    for step in moved
                    for _, nbytes, dtype in [step.series]
                ],
            }
        )
    return found


def fill_in_what_changed(
    change: Change, ends: Ends, results: str | Path, machine: str, said: list[str]
) -> None:
    """Fill in `pins` and `facts`, between `ends`, two commits with their environments."""
    pins = [what_changed.pins(commit) for commit, _ in ends]
    unknown = lacking(ends, pins)
    if unknown:
        said.append(f"git does not have the requirements of {unknown}: its pins are not known")
    else:
        change.pins = provenance.difference(*pins)
    broken: list[str] = []
    facts = [what_changed.facts(results, broken, machine, *end) for end in ends]
    said += [f"Left out: {line}" for line in broken]
    unknown = lacking(ends, facts)
    if unknown:
        said.append(f"No provenance of {unknown}: its driver, kernel and versions are not known")
    else:
        found = provenance.difference(*facts)
        found.pop(what_changed.PARTS, None)  # no change of the machine's
        names = dict.fromkeys([*FIRST, *found])
        change.facts = {name: found[name] for name in names if name in found}


def lacking(ends: Ends, found: Sequence[Any]) -> str:
    return " and ".join(commit[:8] for (commit, _), one in zip(ends, found, strict=True) if not one)
