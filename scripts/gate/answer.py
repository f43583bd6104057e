"""What gate.py compare says: an exit code, and the same for a terminal, as Markdown and as JSON."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy

from scripts.gate import verdict
from scripts.gate.bump import Bump
from scripts.gate.decision import CANNOT_SAY, NOTHING, SLOWER, decide
from scripts.gate.findings import findings, like_the_others
from scripts.gate.recording import Recording
from scripts.words import formats
from scripts.words.markdown import escaped, folded
from scripts.words.vocabulary import KINDS

HEADLINES = {NOTHING: "Nothing became slower", SLOWER: "Slower", CANNOT_SAY: "Cannot say"}


def said(one: Mapping[str, Any]) -> str:
    """'cupy, pinned: +12 % (new array, 1 KiB float32, and 3 more; the other methods: +0.1 %)',
    or '6.4 times as long' in the place of '+541 %'."""
    more = len(one["parts"]) - 1
    where = one["parts"][0][0] + (f", and {more} more" if more else "")
    if one["others"] is not None:
        like = "like " if like_the_others(one) else ""
        where += f"; {like}the other methods: {formats.as_long(one['others'])}"
    return f"{one['name']}: {formats.as_long(one['change'])} ({where})"


def could_be_found(found: verdict.Verdict) -> Iterator[str]:
    """The least slowdown found 95 % of the time, a line each kind: the median of its series, and of
    the worst of them."""
    for rows, where in ((found.series, "one series"), (found.families, "a whole family")):
        for kind in KINDS:
            least = verdict.promise(rows[rows["kind"] == kind]).dropna()
            if len(least):
                worst = f", at worst {formats.change(least.max())}" if len(least) > 1 else ""
                yield f"{kind}, {where}: {formats.change(numpy.median(least))}{worst}"


class Compared:
    """The outcome of a comparison."""

    def __init__(
        self,
        machine: str,
        bump: Bump,
        recording: Recording,
        found: verdict.Verdict,
        notes: Sequence[str],
        cut_short: Sequence[str] = (),
    ) -> None:
        self.machine, self.bump, self.found = machine, bump, found
        self.visits = recording.visits
        alarms = [alarm for run in recording.runs for alarm in run["alarms"]]
        decision = decide(found, self.visits, alarms, cut_short)
        self.code, self.doubts = decision.code, decision.doubts
        self.notes = [*notes, *decision.notes]
        self.slower, self.faster = map(self.with_causes, ("slower", "faster"))
        seconds = sum(run["ended"] - run["started"] for run in recording.runs if run["ended"]) / 1e3
        base, head = bump.commits
        self.about = (
            f"HEAD {head[:8]} against BASE {base[:8]} on {machine}: "
            f"{recording.processes} processes, "
            f"{len(found.series)} series, {seconds / 60:.1f} minutes"
        )

    def with_causes(self, word: str) -> list[dict[str, Any]]:
        """The findings, each with `pins`: the names of those that it can come from."""
        rows = self.found.series
        beside = rows[rows["others"].notna()]["method"].unique()
        ones = findings(self.found, word)
        for one in ones:
            one["pins"] = self.bump.causes(one["method"], beside if like_the_others(one) else ())
        return ones

    def cause(self, one: Mapping[str, Any]) -> str:
        if not one["pins"]:
            return "no pin that it needs differs"
        return f"can come from {self.bump.listed(one['pins'])}"

    @property
    def headline(self) -> str:
        slower = list(map(said, self.slower))
        why = {SLOWER: slower, CANNOT_SAY: self.doubts, NOTHING: []}[self.code]
        return ": ".join(filter(None, [HEADLINES[self.code], "; ".join(why)]))

    def parts(self) -> Iterator[tuple[str, str, str]]:
        """(what, change, bound) of everything found, the slower first, in words."""
        for word, ones in (("slower", self.slower), ("faster", self.faster)):
            for one in ones:
                for name, change, bound in one["parts"]:
                    what = f"{word}: {one['name']}, {name}"
                    least = math.copysign(bound, change)
                    yield what, formats.as_long(change), formats.change(least)

    def text(self) -> str:
        rows = [
            f"  {what}: {change} (told from {least} on)" for what, change, least in self.parts()
        ]
        rows += [f"  {one['name']}: {self.cause(one)}" for one in [*self.slower, *self.faster]]
        found = [f"  {line}" for line in could_be_found(self.found)]
        head = [self.headline, self.about, self.bump.said(), *rows]
        return "\n".join([*head, "Found 95 % of the time:", *found, *self.notes])

    def markdown(self) -> str:
        lines = [f"**{HEADLINES[self.code]}**", "", self.about, "", escaped(self.bump.said()), ""]
        lines += [f"- {escaped(doubt)}" for doubt in self.doubts]
        for word, ones in (("slower", self.slower), ("faster", self.faster)):
            lines += [f"- {word}: {escaped(f'{said(one)}; {self.cause(one)}')}" for one in ones]
        rows = [f"| {escaped(what)} | {change} | {least} |" for what, change, least in self.parts()]
        if rows:
            head = ["| | seconds | told from |", "| --- | ---: | ---: |"]
            lines += ["", *folded("Every series and family of these", [*head, *rows])]
        notes = [*could_be_found(self.found), *self.notes]
        bullets = [f"- {escaped(line)}" for line in notes]
        lines += ["", *folded("The least slowdown that is found 95 % of the time", bullets)]
        return "\n".join(lines) + "\n"

    def json(self) -> str:
        facts = {
            "code": self.code,
            "headline": self.headline,
            "machine": self.machine,
            **dict(zip(("base", "head"), self.bump.commits, strict=True)),
            "stack": self.bump.stack,
            "pins": self.bump.changed,
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

    def __init__(self, why: object) -> None:
        self.why = " ".join(str(why).split())

    def text(self) -> str:
        return f"Cannot say: {self.why}"

    def markdown(self) -> str:
        return f"**Cannot say**: {escaped(self.why)}\n"

    def json(self) -> str:
        return json.dumps({"code": self.code, "headline": self.text()}, indent=1) + "\n"


class Calibrated:
    """The outcome of a calibration, kept at `path`."""

    code = NOTHING

    def __init__(self, path: Path, found: verdict.Verdict) -> None:
        self.path, self.found = path, found

    def text(self) -> str:
        lines = [f"Kept in {self.path}; commit it to keep it"]
        for word in "slower", "faster":
            ones = findings(self.found, word)
            lines += [f"{word}, though nothing changed: {said(one)}" for one in ones]
        found = [f"  {line}" for line in could_be_found(self.found)]
        return "\n".join([*lines, "Found 95 % of the time:", *found])
