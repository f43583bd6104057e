"""The change points of a machine's history in words, for a terminal, for Markdown and as JSON."""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from scripts.change_points import over_time
from scripts.change_points.change import Change
from scripts.recording import provenance
from scripts.words.formats import count, size
from scripts.words.markdown import escaped, folded
from scripts.words.vocabulary import family

CANDIDATE = "; one side of it is a single commit, which may be an outlier"
SHOWN = 4  # facts, in a sentence


def found(changes: Sequence[Change], said: Sequence[str]) -> str:
    """How many changes in how much: 'No change found in 6 commits; 97 of 102 series ...'"""
    number = count(len(changes), "change", "changes") if changes else "No change"
    return " ".join([number, "found", *said[:1]]) + "."


def text(changes: Sequence[Change], said: Sequence[str]) -> str:
    """Plain lines, the oldest commit first."""
    lines = [found(changes, said)]
    for heading, group, changed in by_commit(changes):
        lines.append(heading)
        for change in group:
            lines.append(f"  {headline(change)}")
            lines += [f"    {line}" for line in map(sizes, change.families)]
        lines += [f"  {line}" for line in changed]
    return "\n".join([*lines, *said[1:]]) + "\n"


def markdown(changes: Sequence[Change], said: Sequence[str]) -> str:
    """The same for a comment, the single sizes folded."""
    lines = [found(changes, said), ""]
    for heading, group, changed in by_commit(changes):
        lines += [f"**{heading}**", ""]
        lines += [f"- {escaped(line)}" for line in [*map(headline, group), *changed]]
        series = [f"{name(change)}, {sizes(one)}" for change in group for one in change.families]
        lines += ["", *folded("Sizes", [f"- {escaped(line)}" for line in series]), ""]
    return "\n".join([*lines, *(f"- {escaped(line)}" for line in said[1:])]).rstrip() + "\n"


def as_json(changes: Sequence[Change], said: Sequence[str]) -> dict[str, Any]:
    """For json.dumps: all that `changes` hold, the dates in ISO 8601."""
    found = [
        dataclasses.asdict(change) | {"date": change.date.isoformat(), "slower": change.slower}
        for change in changes
    ]
    return {"changes": found, "said": list(said)}


def by_commit(changes: Sequence[Change]) -> Iterator[tuple[str, list[Change], list[str]]]:
    """(heading, changes, what else changed, a line each) of those between the same two commits."""
    for _, same in itertools.groupby(changes, key=lambda change: (change.commit, change.before)):
        group = list(same)
        first = group[0]
        after, before = (
            commit[:8] + " (doubtful)" * (commit in first.doubts)
            for commit in (first.commit, first.before)
        )
        changed = {"pins": first.pins, "recorded facts": first.facts}
        lines = [f"{what}: {differing(pairs)}" for what, pairs in changed.items()]
        doubts = over_time.doubts_in_words(first.doubts)
        yield f"{first.date:%Y-%m-%d} {after}, after {before}", group, [*doubts, *lines]


def differing(pairs: Mapping[str, tuple[Any, Any]] | None) -> str:
    """{'torch': ('2.1', '2.2')} -> 'torch 2.1 -> 2.2'"""
    if pairs is None:
        return "not known"
    in_text = [(name, *map(provenance.text, pair)) for name, pair in pairs.items()]
    return "; ".join(f"{name} {old} -> {new}" for name, old, new in in_text) or "the same"


def name(change: Change) -> str:
    if change.method == "link":
        return change.method
    return family(change.method, change.memory, change.direction)


def headline(change: Change) -> str:
    """torch, pinned, new array: 20.1 % more time in seconds (99 %: +18.2 to +22.0 %), 6 of 7 series

    Where one moved by twice as much, that one, too: `; most of all new array, 32 MiB: +61.0 %`.
    """
    moved = sum(len(family["series"]) for family in change.families)
    of = sum(family["of"] for family in change.families)
    ends = f"{signed(change.low_99)} to {signed(change.high_99)}"
    where = [name(change), *(into(one) for one in change.families if len(change.families) == 1)]
    against = "beside the other methods" if change.by_ratio else "in seconds"
    return (
        f"{', '.join(where)}: {change.in_time} {against} (99 %: {ends} %), {moved} of {of} series"
        + most(change)
        + CANDIDATE * change.candidate
    )


def most(change: Change) -> str:
    parts = [(one, family) for family in change.families for one in family["series"]]
    one, family = max(parts, key=lambda part: abs(part[0]["percent"]))
    if abs(one["percent"]) < 2 * abs(change.percent):
        return ""
    where = f"{into(family)}, {size(one['nbytes'])}"
    return f"; most of all {where}: {signed(one['percent'])} %"


def into(family: Mapping[str, Any]) -> str:
    return str(family["operation"]).replace("_", " ")


def sizes(family: Mapping[str, Any]) -> str:
    """existing array, +20.0 %: 1 KiB +21.3 %, 8 KiB +18.7 %. Of several dtypes the median."""
    parts = [
        f"{size(nbytes)} {signed(median(one['percent'] for one in dtypes))} %"
        for nbytes, dtypes in itertools.groupby(family["series"], key=lambda one: one["nbytes"])
    ]
    return f"{into(family)}, {signed(family['percent'])} %: {', '.join(parts)}"


def signed(percent: float) -> str:
    return f"{percent:+.1f}"


def last(changes: Sequence[Change], said: Sequence[str]) -> list[str]:
    """What changed last, and with the last driver, a sentence each."""
    *_, newest = [None, *by_commit(changes)]
    sentences = [found(changes, said)]
    if newest:
        heading, group, _ = newest
        with_it = [*(group[0].facts or {}).items()]
        parts = [*map(headline, group)]
        if with_it:
            more = f" and {len(with_it) - SHOWN} more" * (len(with_it) > SHOWN)
            parts.append(f"with it came {differing(dict(with_it[:SHOWN]))}{more}")
        sentences = [f"What changed last, {heading}: {'; '.join(parts)}."]
    return sentences + [f"{line}." for line in said if line.startswith(over_time.SINCE)]
