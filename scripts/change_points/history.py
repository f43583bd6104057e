"""The change points of a machine's history: at which commits its transfers became slower or faster,
by how much, and what changed there in pins, driver and kernel. detector.py finds them.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy
from asv.util import UserError

from scripts.change_points import detector, what_changed
from scripts.reading import points
from scripts.reading.chosen import NOTHING, NoSuchResult
from scripts.reading.results_file import results_files
from scripts.recording import provenance
from scripts.words.formats import as_percent, some
from scripts.words.vocabulary import LINK, TRANSFERS, direction

TIMES = *TRANSFERS, "link"  # operations
FAMILY = ["method", "memory", "direction"]
SERIES = ["operation", "nbytes", "dtype"]  # of a family
FIRST = "driver", "cuda driver", "kernel"  # facts that are said first


@dataclass
class Change:
    """The transfers of one method and direction with one kind of memory, which from `commit` on
    take `percent` more seconds (negative: fewer): the median over the series that moved.

    `families` has, for each operation that moved, its own `percent`, `of`, how many series of it
    could be judged, and `series`, those that moved, each with its percent. `pins` and `facts` are
    {name: (before, after)} of what differs between the two commits, None where nobody knows.
    """

    commit: str
    date: datetime  # the commit's, UTC
    before: str  # the last commit before the change
    candidate: bool  # of the newest commit alone: it cannot be told from an outlier yet
    method: str  # or "link"
    memory: str
    direction: str
    percent: float
    low_99: float
    high_99: float
    families: list
    pins: dict | None = None
    facts: dict | None = None

    @property
    def slower(self):
        return self.percent > 0


def of_machine(results, machine):
    """The changes, the oldest first, and what could not be judged, in words, a line each.

    NoSuchResult if there is nothing to judge at all.
    """
    try:
        table, left_out = points.load(results, spread=False, machines={machine})
    except (UserError, OSError) as error:
        raise NoSuchResult(f"No history: {str(error).splitlines()[0]}") from None
    if table.empty:
        known = sorted({found[2] for found in results_files(results)})
        if not known:
            raise NoSuchResult(NOTHING)
        broken = [line for line in left_out if line.startswith((f"{machine}:", f"{machine}/"))]
        why = f" ({broken[0]})" if broken else ""
        raise NoSuchResult(f"No results of a machine {machine!r}{why}; there are: {some(known)}")
    changes, said = of_table(table, results)
    return changes, [*(f"Left out: {line}" for line in left_out), *said]


def of_table(table, results):
    """The same of the rows `table` of points.py, all of one machine, whose files are in `results`.

    NoSuchResult if they are of fewer than two commits.
    """
    machine, rows, said = table["machine"].iloc[0], measured(table), []
    commits = rows.drop_duplicates("place").set_index("place")
    counts = rows.groupby(["method", "memory", *SERIES]).size()
    few = (counts < detector.FEWEST).sum()
    if few:
        said.append(
            f"{few} of {len(counts)} series were measured at fewer than {detector.FEWEST} commits, "
            "which is too few to judge them"
        )
    changes, left = [], 0
    for (method, memory, way), family in rows.groupby(FAMILY, sort=False):
        logs = numpy.log(family.pivot(index=SERIES, columns="place", values="seconds"))
        last = family.drop_duplicates("place", keep="last").set_index("place")
        together, alone = detector.together(detector.find(logs, memory), logs)
        left += alone
        for place, before, members in together:
            ends = [(last["commit"][at], str(last["environment"][at])) for at in (before, place)]
            change = Change(
                commit=ends[1][0],
                date=commits["commit_date"][place].to_pydatetime(),
                before=ends[0][0],
                candidate=detector.is_candidate(members),
                method=method,
                memory=memory,
                direction=way,
                **dict(zip(SIZES, map(as_percent, detector.size(members, memory)), strict=True)),
                families=families(members, logs),
            )
            fill_in_what_changed(change, ends, results, machine, said)
            changes.append(change)
    if left:
        said.append(
            f"{left} steps of too few series of a method are no change points: of {len(counts)} "
            "series some step by chance"
        )
    changes.sort(key=lambda change: (change.date, change.commit, -abs(change.percent)))
    return changes, list(dict.fromkeys(said))


def measured(table):
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


SIZES = "percent", "low_99", "high_99"


def families(members, logs):
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


def fill_in_what_changed(change, ends, results, machine, said):
    """Fill in `pins` and `facts`, between `ends`, two commits with their environments."""
    pins = [what_changed.pins(commit) for commit, _ in ends]
    unknown = lacking(ends, pins)
    if unknown:
        said.append(f"git does not have the requirements of {unknown}: its pins are not known")
    else:
        change.pins = provenance.difference(*pins)
    broken = []
    facts = [what_changed.facts(results, broken, machine, *end) for end in ends]
    said += [f"Left out: {line}" for line in broken]
    unknown = lacking(ends, facts)
    if unknown:
        said.append(f"No provenance of {unknown}: its driver, kernel and versions are not known")
    else:
        found = provenance.difference(*facts)
        names = dict.fromkeys([*FIRST, *found])
        change.facts = {name: found[name] for name in names if name in found}


def lacking(ends, found):
    return " and ".join(commit[:8] for (commit, _), one in zip(ends, found, strict=True) if not one)
