"""Which recorded result is meant: from the words of a user, the newest, the one measured last.

A result is what was measured of one commit on one machine in one environment: the rows of
points.py's table that have these three in common.
"""

from collections.abc import Iterable, Sequence

import numpy
from pandas import DataFrame

from scripts.words.formats import some
from scripts.words.vocabulary import TRANSFERS

NOTHING = "There are no results yet: python3 scripts/bench.py makes some"


class NoSuchResult(Exception):
    """The text says what there is instead."""


def why_none(left_out: Sequence[str], machine: str | None) -> str:
    """' (what was left out)', the first line of it, of `machine` if one is named; '' if nothing."""
    begin = "" if machine is None else (f"{machine}:", f"{machine}/")
    of = [line for line in left_out if line.startswith(begin)]
    return f" ({of[0]})" if of else ""


def transfers(points: DataFrame) -> DataFrame:
    """The rows of transfers to a GPU that were measured."""
    return points[points["operation"].isin(TRANSFERS) & points["status"].eq("ok")]


def unabbreviated(machine: str, known: Iterable[str]) -> str:
    """The one of the machines `known` whose name begins so; else `machine` as it is."""
    begin = [one for one in known if one.startswith(machine)] if machine else []
    return begin[0] if len(begin) == 1 else machine


def choose(points: DataFrame, word: str) -> DataFrame:
    """The result that `word` names: MACHINE:COMMIT, or MACHINE for its newest with a GPU's numbers.

    Of a commit measured in several environments it is the one measured last. NoSuchResult if there
    is none, or if machine or commit, which may be abbreviated, are not the only ones.
    """
    machines = points["machine"].dropna().unique()
    machine, _, commit = (word, "", "") if word in machines else word.partition(":")
    machine = unabbreviated(machine, map(str, machines))
    found = points[points["machine"] == machine]
    if found.empty:
        there = some(machines) or "none"
        raise NoSuchResult(f"No results of a machine {machine!r}; there are: {there}")
    if commit:
        known = found["commit"].unique()
        commits = [one for one in known if one.startswith(commit.lower())]
        if len(commits) != 1:
            what = "Several commits" if commits else "No results of a commit"
            there = some([one[:8] for one in reversed(commits or list(known))])
            raise NoSuchResult(f"{what} {commit!r} on {machine}; there are: {there}")
        found = found[found["commit"] == commits[0]]
    measured = found[found["status"] == "ok"]
    if measured.empty:
        raise NoSuchResult(f"Nothing of {word} was measured: all is n/a or failed")
    gpu = transfers(measured)
    return last(points, measured if gpu.empty else gpu, "commit_date", "measured")


def last(points: DataFrame, among: DataFrame, *columns: str) -> DataFrame:
    """The result in `points` that the last of the rows `among` belongs to, by these columns."""
    row = among.sort_values([*columns], na_position="first", kind="stable").iloc[-1]
    same = [points[name] == row[name] for name in ("machine", "commit", "environment")]
    return points[numpy.logical_and.reduce(same)]


def last_measured(points: DataFrame) -> tuple[DataFrame, DataFrame | None]:
    """The result measured last, and the one with the fastest transfer of all; None if none has any.

    NoSuchResult if there is no number at all.
    """
    measured = points[points["status"] == "ok"]
    if measured.empty:
        raise NoSuchResult("No number is recorded that can be read")
    gpu = transfers(measured)
    return last(points, measured, "measured"), None if gpu.empty else last(points, gpu, "gb_per_s")
