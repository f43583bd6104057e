"""What gate.py compare says: an exit code, and the same for a terminal, as Markdown and as JSON."""

import json
import math

import numpy

from scripts.gate import verdict
from scripts.gate.pairs import FEWEST
from scripts.words import formats
from scripts.words.formats import size
from scripts.words.markdown import escaped, folded
from scripts.words.vocabulary import KINDS, operation

NOTHING, SLOWER, CANNOT_SAY = 0, 1, 2
HEADLINES = {NOTHING: "Nothing became slower", SLOWER: "Slower", CANNOT_SAY: "Cannot say"}
SIDES = "BASE", "HEAD"


def findings(found, word):
    """What became `word`, the most first: one dict a method and memory.

    `parts` are (name, change, bound) of its families that did and of its series, each the most
    first; the series before the families if one of them moved unlike its family. `change` is the
    first part's. Changes are logarithms.
    """
    families, series = (
        rows[rows["found"] == word].sort_values("change", key=abs, ascending=False)
        for rows in (found.families, found.series)
    )
    ones = []
    for method, memory in dict.fromkeys(map(place, [*records(families), *records(series)])):
        ours, mine = (
            [row for row in records(rows) if place(row) == (method, memory)]
            for rows in (families, series)
        )
        named = [(family_name(row), row) for row in ours], [(series_name(row), row) for row in mine]
        if any(unlike(row, family) for row in mine for family in ours):
            named = named[::-1]
        parts = [(name, row["change"], row["bound"]) for rows in named for name, row in rows]
        ones.append(dict(method=method, memory=memory, change=parts[0][1], parts=parts))
    return sorted(ones, key=lambda one: -abs(one["change"]))


def records(rows):
    return rows.to_dict("records")


def place(row):
    return row["method"], row["memory"]


def unlike(row, family):
    """Whether a series changed by another amount than its family did."""
    return row["kind"] == family["kind"] and abs(row["change"] - family["change"]) > row["bound"]


def family_name(row):
    kind = row["kind"].removeprefix("pinned, ")
    return f"all {row['members']} series" + ("" if kind == "pageable" else f", {kind}")


def series_name(row):
    name = operation(row["benchmark"]).replace("_", " ")
    return f"{name}, {size(int(row['nbytes']))} {row['dtype']}".strip()


def said(one):
    """'cupy, pinned: +12 % (new array, 1 KiB float32, and 3 more)'"""
    more = len(one["parts"]) - 1
    where = one["parts"][0][0] + (f", and {more} more" if more else "")
    return f"{one['method']}, {one['memory']}: {formats.change(one['change'])} ({where})"


def not_measured(visits):
    """What was not measured: {why, in words: points}, where that is a doubt, and where it is not.

    A failure is a doubt, and so is a point that is n/a on one side only.
    """
    points, doubts, notes = {}, {}, {}
    for line in visits:
        key = line["benchmark"], tuple(line["parameters"].values())
        if "unmeasured" in line:
            points[key] = line["unmeasured"]
    for sides in points.values():
        failed = [place for place, why in enumerate(sides) if "failed" in why]
        skipped = [place for place, why in enumerate(sides) if "skipped" in why]
        if failed:
            where = " and ".join(SIDES[place] for place in failed)
            why, there = f"failed in {where}: {sides[failed[0]]['failed']}", doubts
        elif len(skipped) == 1:
            reason = sides[skipped[0]]["skipped"]
            why, there = f"have one side only: in {SIDES[skipped[0]]} {reason}", doubts
        else:
            why, there = sides[0]["skipped"], notes
        there[why] = there.get(why, 0) + 1
    return doubts, notes


def could_be_found(found):
    """The least slowdown found 95 % of the time, a line each kind: the median of its series, and of
    the worst of them."""
    for rows, where in ((found.series, "one series"), (found.families, "a whole family")):
        for kind in KINDS:
            least = verdict.promise(rows[rows["kind"] == kind]).dropna()
            if len(least):
                worst = f", at worst {formats.change(least.max())}" if len(least) > 1 else ""
                yield f"{kind}, {where}: {formats.change(numpy.median(least))}{worst}"


def blind(found):
    """A doubt if most of a comparison's series could miss a slowdown of 100 %."""
    missed = int((verdict.promise(found.series) > math.log(2)).sum())
    if 2 * missed > len(found.series):
        yield f"too noisy: in {missed} of {len(found.series)} series even +100 % may be missed"


class Compared:
    """The outcome of a comparison; `doubts` are what makes it worthless, in words."""

    def __init__(self, machine, commits, recording, found, notes, doubts=()):
        self.machine, self.commits, self.found, self.notes = machine, commits, found, list(notes)
        self.slower, self.faster = findings(found, "slower"), findings(found, "faster")
        self.doubts = list(dict.fromkeys(a for run in recording.runs for a in run["alarms"]))
        worth, not_worth = not_measured(recording.visits)
        self.doubts += [f"{count} points {why}" for why, count in worth.items()]
        self.notes += [
            f"{count} points were not measured: {why}" for why, count in not_worth.items()
        ]
        clear = found.series["clear"].any() or found.families["clear"].any()
        (self.notes if clear else self.doubts).extend(doubts)
        self.doubts += [] if self.slower else blind(found)
        few = int((found.series["visits"] < FEWEST).sum())
        if few:
            self.doubts.append(f"{few} series have fewer than {FEWEST} processes a side")
        seconds = sum(run["ended"] - run["started"] for run in recording.runs if run["ended"]) / 1e3
        self.about = (
            f"HEAD {commits[1][:8]} against BASE {commits[0][:8]} on {machine}: "
            f"{2 * sum('change' in line for line in recording.visits)} processes, "
            f"{len(found.series)} series, {seconds / 60:.1f} minutes"
        )

    @property
    def code(self):
        return CANNOT_SAY if self.doubts else SLOWER if self.slower else NOTHING

    @property
    def headline(self):
        why = {SLOWER: map(said, self.slower), CANNOT_SAY: self.doubts, NOTHING: ()}[self.code]
        return ": ".join(filter(None, [HEADLINES[self.code], "; ".join(why)]))

    def parts(self):
        """(what, change, bound) of everything found, the slower first, in words."""
        for word, ones in (("slower", self.slower), ("faster", self.faster)):
            for one in ones:
                for name, change, bound in one["parts"]:
                    what = f"{word}: {one['method']}, {one['memory']}, {name}"
                    yield what, formats.change(change), formats.change(math.copysign(bound, change))

    def text(self):
        rows = [
            f"  {what}: {change} (told from {least} on)" for what, change, least in self.parts()
        ]
        found = [f"  {line}" for line in could_be_found(self.found)]
        return "\n".join(
            [self.headline, self.about, *rows, "Found 95 % of the time:", *found, *self.notes]
        )

    def markdown(self):
        lines = [f"**{HEADLINES[self.code]}**", "", self.about, ""]
        lines += [f"- {escaped(doubt)}" for doubt in self.doubts]
        for word, ones in (("slower", self.slower), ("faster", self.faster)):
            lines += [f"- {word}: {escaped(said(one))}" for one in ones]
        rows = [f"| {escaped(what)} | {change} | {least} |" for what, change, least in self.parts()]
        if rows:
            head = ["| | seconds | told from |", "| --- | ---: | ---: |"]
            lines += ["", *folded("Every series and family of these", [*head, *rows])]
        notes = [*could_be_found(self.found), *self.notes]
        bullets = [f"- {escaped(line)}" for line in notes]
        lines += ["", *folded("The least slowdown that is found 95 % of the time", bullets)]
        return "\n".join(lines) + "\n"

    def json(self):
        facts = {
            "code": self.code,
            "headline": self.headline,
            "machine": self.machine,
            "base": self.commits[0],
            "head": self.commits[1],
            "doubts": self.doubts,
            "notes": self.notes,
            "slower": self.slower,
            "faster": self.faster,
            **{
                name: json.loads(rows.to_json(orient="records"))  # strict: null, not NaN
                for name, rows in (("series", self.found.series), ("families", self.found.families))
            },
        }
        return json.dumps(facts, indent=1, allow_nan=False) + "\n"


class CannotSay:
    """The outcome of what could not be done; `why` is one line."""

    code = CANNOT_SAY

    def __init__(self, why):
        self.why = " ".join(str(why).split())

    def text(self):
        return f"Cannot say: {self.why}"

    def markdown(self):
        return f"**Cannot say**: {escaped(self.why)}\n"

    def json(self):
        return json.dumps({"code": self.code, "headline": self.text()}, indent=1) + "\n"


class Calibrated:
    """The outcome of a calibration, kept at `path`."""

    code = NOTHING

    def __init__(self, path, found):
        self.path, self.found = path, found

    def text(self):
        lines = [f"Kept in {self.path}; commit it to keep it"]
        for word in "slower", "faster":
            ones = findings(self.found, word)
            lines += [f"{word}, though nothing changed: {said(one)}" for one in ones]
        found = [f"  {line}" for line in could_be_found(self.found)]
        return "\n".join([*lines, "Found 95 % of the time:", *found])
