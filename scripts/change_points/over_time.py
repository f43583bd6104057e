"""What is recorded beside each result of a machine, oldest first, and what changed from one to the
next: library versions, the driver, the GPU; and what makes a result doubtful."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas

from scripts.answers import doubts
from scripts.change_points.change import Change
from scripts.reading.points import RUN
from scripts.recording import provenance
from scripts.words.formats import listed, percents, some
from scripts.words.thresholds import UNCHANGED
from scripts.words.vocabulary import ALL

GPU, DRIVER, MODEL = "gpu uuid hash", "driver", "cuda driver"
LIBRARIES = "numpy", "cuda runtime"  # beside the methods' own
# By how much the seconds of two runs of one thing differ, in words.
DRIFT = percents(*(100 * end(itertools.chain(*UNCHANGED.values())) for end in (min, max)))
SINCE = "Where driver "  # how the answer begins
FEWEST = 2  # results on either side of a driver's change, for a step there to be one


def of(
    table: pandas.DataFrame, results: str | Path, left_out: Sequence[str] = ()
) -> pandas.DataFrame:
    """A row a result of `table`, points.py's, oldest first within its machine: RUN, `commit_date`,
    `facts`, those of its last run, {} where none are recorded, and `doubts`, a sentence each.

    `left_out` is what points.load left out.
    """
    found = []
    table = table[[*doubts.NEEDED, "commit_date", "measured"]]
    for run, rows in table.groupby(RUN, observed=True, sort=False):
        whose = (*map(str, run),)
        beside = provenance.beside(results, [], *whose)
        facts = beside[-1]["facts"] if beside else {}
        when = rows["commit_date"].iloc[0], rows["measured"].min()
        found.append((*whose, *when, facts, doubts.of(rows, beside, left_out)))
    columns = [*RUN, "commit_date", "measured", "facts", "doubts"]
    runs = pandas.DataFrame(found, columns=columns)
    return runs.sort_values(["commit_date", "measured"], kind="stable", ignore_index=True)


def doubtful(runs: pandas.DataFrame) -> dict[str, list[str]]:
    """{commit: what makes its results doubtful} of the results `runs` of one machine."""
    found: dict[str, list[str]] = {}
    for row in runs.itertuples():
        if row.doubts:
            found[row.commit] = [*dict.fromkeys([*found.get(row.commit, []), *row.doubts])]
    return found


def doubts_in_words(found: Mapping[str, Sequence[str]]) -> list[str]:
    """A line for each commit, or for several that are doubtful for the same."""
    alike: dict[str, list[str]] = {}
    for commit, sentences in found.items():
        alike.setdefault(" ".join(sentences).removesuffix("."), []).append(commit[:8])
    return [f"Doubtful, {some(commits)}: {words}" for words, commits in alike.items()]


def changed(runs: pandas.DataFrame, methods: Sequence[str]) -> pandas.DataFrame:
    """`runs`, as `of` makes them, with what changed since the machine's result before: `versions`,
    a text a library, and `rule`, the driver and the GPU in words; empty where nothing did."""
    versions: list[list[str]] = []
    rules: list[str] = []
    for _, before, facts in pairs(runs):
        found = provenance.difference(before, facts) if before and facts else {}
        names = [name for name in (*methods, *LIBRARIES) if name in found]
        versions.append([f"{name} {provenance.text(found[name][1])}" for name in names])
        rules.append(", ".join(machine_words(found)))
    return runs.assign(versions=versions, rule=rules)


def machine_words(found: Mapping[str, tuple[Any, Any]]) -> Iterator[str]:
    if DRIVER in found or MODEL in found:
        yield f"driver {provenance.text(found.get(DRIVER, found.get(MODEL))[1])}"  # type: ignore[index]
    if None not in found.get(GPU, (None,)):
        yield "another GPU of its kind"


def pairs(runs: pandas.DataFrame) -> Iterator[tuple[Any, dict[str, Any], dict[str, Any]]]:
    """Each row of `runs`, the facts of its machine's result before it, and its own."""
    last: dict[str, dict[str, Any]] = {}
    for row in runs.itertuples():
        yield row, last.get(row.machine, {}), row.facts
        last[row.machine] = row.facts or last.get(row.machine, {})


def of_last_driver(runs: pandas.DataFrame, changes: Sequence[Change]) -> list[str]:
    """Did the last driver make it slower? In a sentence; nothing where no driver is recorded.

    `runs` has the results of one machine, `changes` its change points.
    """
    found = [
        (place, row.commit, before[DRIVER], facts[DRIVER])
        for place, (row, before, facts) in enumerate(pairs(runs))
        if DRIVER in before and DRIVER in facts and before[DRIVER] != facts[DRIVER]
    ]
    if not found:
        drivers = {provenance.text(facts[DRIVER]) for facts in runs["facts"] if DRIVER in facts}
        same = f"Every driver recorded here is {''.join(drivers)}"
        return [f"{same}: nothing tells what another one changes"] * (len(drivers) == 1)
    place, commit, old, new = found[-1]
    since = f"{SINCE}{new} came, in the place of {old}"
    there = [change for change in changes if change.commit == commit]
    if not there:
        enough = min(place, len(runs) - place) >= FEWEST
        why = f"it takes {FEWEST} results on either side"
        none = f"no change was found; of all methods together it would show from {DRIFT} on"
        return [f"{since}, {none}" if enough else f"{since}: cannot say, {why}"]
    kinds = [
        f"{change.memory}{f' with {change.method}' * (change.method != ALL)} takes {change.in_time}"
        for change in there
    ]
    why = "what else changed there may be the cause"
    if not any(change.by_ratio for change in there):
        why = f"by seconds, so it may be the host, which drifts: cannot say. Or {why}"
    return [f"{since}: {listed(kinds)}; {why}"]
