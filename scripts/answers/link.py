"""Is the link as it should be? Against what it can carry, and against other recorded machines."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pandas import DataFrame, Series

from scripts.reading import links
from scripts.reading.links import Link
from scripts.words.formats import percent, rate
from scripts.words.thresholds import REACHES

FINE, SLOW, CANNOT_SAY = "as it should be", "slower than it should be", "cannot say"


class Verdict(NamedTuple):
    """`answer` is one of the three above, `why` the numbers behind it."""

    answer: str
    why: str

    def __str__(self) -> str:
        if self.answer == CANNOT_SAY:
            return f"Whether the link is as it should be, nobody can say: {self.why}."
        return f"The link is {self.answer}: {self.why}."


def of(run: DataFrame, table: DataFrame, runs: Sequence[Mapping[str, Any]]) -> Verdict | None:
    """The verdict on the link of the result `run`; None if no link was measured.

    `table` has the other machines' results, too; `runs` is what provenance.beside has of this one.
    """
    reached = {name: best(run, name) for name in ("link", "link_back")}
    ours = reached["link"]
    if ours is None:
        return None
    first = run.iloc[0]
    can, under_load = links.parsed(first["pcie_link"]), slowest(runs)
    others = of_others(table, first, can)
    why = [against(ours, can)]
    if " MIG " in str(first["gpu"]):
        return Verdict(CANNOT_SAY, f"{why[0]}, and a MIG slice shares its GPU's link")
    slow = []
    if can and under_load and under_load.below(can):
        slow.append(f"it ran as {under_load} under load, and can do {can}")
    for name, there in reached.items():
        way = "" if name == "link" else ", on the way back,"
        if there and can and can.carries and there < REACHES * can.carries:
            slow.append(f"links{way} reach {REACHES:.0%} and more of that".replace("%", " %"))
    if wider := wider_elsewhere(table, first, can):
        slow.append(f"other machines with this GPU have {wider}")
    if len(others) and ours < links.AS_OTHERS * others.median():
        slow.append("other machines reach more")
    if len(others):
        ends = dict.fromkeys(rate(others.quantile(end)) for end in (0, 1))
        why.append(f"other {can or first['gpu']} machines here: {' to '.join(ends)}")
    if slow:
        return Verdict(SLOW, "; ".join([why[0], *slow, *why[1:]]))
    if can and can.carries and ours > can.carries:
        return Verdict(CANNOT_SAY, f"{why[0]}, which no such link can carry; it has another one")
    if not (can and can.carries) and others.empty:
        said = "its generation and width are not known, and no other such machine is recorded here"
        return Verdict(CANNOT_SAY, f"{why[0]}; {said}")
    return Verdict(FINE, "; ".join(why))


def against(ours: float, can: Link | None) -> str:
    """'55.1 of the 63.0 GB/s that Gen5 x16 can carry, 87 %'"""
    if not (can and can.carries):
        return f"{rate(ours)} GB/s"
    share = percent(100 * ours / can.carries)
    return f"{rate(ours)} of the {rate(can.carries)} GB/s that {can} can carry, {share}"


def best(run: DataFrame, operation: str) -> float | None:
    """GB/s of the largest copies of a link; None if none was measured."""
    rates = links.large(run, operation)["gb_per_s"]
    return None if rates.empty else float(rates.max())


def slowest(runs: Sequence[Mapping[str, Any]]) -> Link | None:
    """The least that the link was under load in any of the runs; None if nobody looked."""
    ends = ("link generation", "link width")
    facts = [one["facts"] for one in runs]
    seen = [[one[name] for one in facts if isinstance(one.get(name), int)] for name in ends]
    return Link(*map(min, seen)) if all(seen) else None


def of_others(table: DataFrame, first: Series, can: Link | None) -> Series:
    """What the links of other machines reach, GB/s: those of the same link, or, where that is not
    known, of the same GPU; of each machine's newest result.
    """
    rows = links.large(table, "link")
    same = "pcie_link" if can else "gpu"
    rows = rows[rows[same].eq(first[same]) & rows["machine"].ne(first["machine"])]
    rows = rows[~rows["gpu"].astype(str).str.contains(" MIG ")]
    last = rows.groupby(rows["machine"].astype(str))["commit"].transform("last")
    return rows[rows["commit"].eq(last)].groupby(rows["machine"].astype(str))["gb_per_s"].max()


def wider_elsewhere(table: DataFrame, first: Series, can: Link | None) -> Link | None:
    """A link that recorded machines with this GPU have, where this one's slot has less."""
    same = table["gpu"].eq(first["gpu"]) & table["machine"].ne(first["machine"])
    seen = [links.parsed(text) for text in table.loc[same, "pcie_link"].unique()]
    return next((link for link in seen if link and can and can.below(link)), None)
