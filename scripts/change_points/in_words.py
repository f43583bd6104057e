"""The change points of a machine's history in words, for a terminal, for Markdown and as JSON."""

import dataclasses
import itertools
from statistics import median

from scripts.recording import provenance
from scripts.words.formats import size
from scripts.words.markdown import escaped, folded
from scripts.words.vocabulary import family

NONE = "No change points."
CANDIDATE = "; a candidate: the newest commit alone cannot be told from an outlier yet"


def text(changes, said):
    """Plain lines, the oldest commit first."""
    lines = [] if changes else [NONE]
    for heading, group, changed in by_commit(changes):
        lines.append(heading)
        for change in group:
            lines.append(f"  {headline(change)}")
            lines += [f"    {line}" for line in map(sizes, change.families)]
        lines += [f"  {line}" for line in changed]
    return "\n".join([*lines, *said]) + "\n"


def markdown(changes, said):
    """The same for a comment, the single sizes folded."""
    lines = [] if changes else [NONE, ""]
    for heading, group, changed in by_commit(changes):
        lines += [f"**{heading}**", ""]
        lines += [f"- {escaped(line)}" for line in [*map(headline, group), *changed]]
        series = [f"{name(change)}, {sizes(one)}" for change in group for one in change.families]
        lines += ["", *folded("Sizes", [f"- {escaped(line)}" for line in series]), ""]
    return "\n".join([*lines, *(f"- {escaped(line)}" for line in said)]).rstrip() + "\n"


def as_json(changes, said):
    """For json.dumps: all that `changes` hold, the dates in ISO 8601."""
    found = [
        dataclasses.asdict(change) | {"date": change.date.isoformat(), "slower": change.slower}
        for change in changes
    ]
    return {"changes": found, "said": list(said)}


def by_commit(changes):
    """(heading, changes, what else changed, a line each) of those between the same two commits."""
    for _, group in itertools.groupby(changes, key=lambda change: (change.commit, change.before)):
        group = list(group)
        first = group[0]
        heading = f"{first.date:%Y-%m-%d} {first.commit[:8]}, after {first.before[:8]}"
        changed = {"pins": first.pins, "recorded facts": first.facts}
        yield heading, group, [f"{what}: {differing(pairs)}" for what, pairs in changed.items()]


def differing(pairs):
    """{'torch': ('2.1', '2.2')} -> 'torch 2.1 -> 2.2'"""
    if pairs is None:
        return "not known"
    in_text = [(name, *map(provenance.text, pair)) for name, pair in pairs.items()]
    return "; ".join(f"{name} {old} -> {new}" for name, old, new in in_text) or "the same"


def name(change):
    if change.method == "link":
        return change.method
    return family(change.method, change.memory, change.direction)


def headline(change):
    """torch, pinned: 20.1 % slower (99 %: +18.2 to +22.0 % seconds), 12 of 14 series"""
    moved = sum(len(family["series"]) for family in change.families)
    of = sum(family["of"] for family in change.families)
    ends = f"{signed(change.low_99)} to {signed(change.high_99)}"
    how = f"{signed(change.percent)[1:]} % {'slower' if change.slower else 'faster'}"
    return (
        f"{name(change)}: {how} (99 %: {ends} % seconds), {moved} of {of} series"
        + CANDIDATE * change.candidate
    )


def sizes(family):
    """existing array, +20.0 %: 1 KiB +21.3 %, 8 KiB +18.7 %. Of several dtypes the median."""
    parts = [
        f"{size(nbytes)} {signed(median(one['percent'] for one in dtypes))} %"
        for nbytes, dtypes in itertools.groupby(family["series"], key=lambda one: one["nbytes"])
    ]
    operation = family["operation"].replace("_", " ")
    return f"{operation}, {signed(family['percent'])} %: {', '.join(parts)}"


def signed(percent):
    return f"{percent:+.1f}"
