"""The commit between two from which on transfers are slower: git bisect, with the gate's answer.

The conventions are those of `git bisect run`: a commit is good (0) if nothing is slower in it than
in GOOD, bad (1) if something is, and skipped (125) where that cannot be said. BAD is compared
first; of the others only the families that became slower there are measured. A commit whose pins
are those of one that was looked at has its answer. git bisects in a clone of its own.
"""

import argparse
import json
import platform
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from asv.util import UserError

from scripts.asv_plugin import machines
from scripts.gate import answer, bump, comparable, running
from scripts.gate.decision import CANNOT_SAY, NOTHING, SLOWER
from scripts.gate.pairs import SERIES
from scripts.gate.sides import FOLDER
from scripts.gate.verdict import FAMILY
from scripts.recording import conditions, facts
from scripts.setup import git, stack
from scripts.words import formats
from scripts.words.markdown import escaped
from scripts.words.vocabulary import series

GOOD, BAD, SKIP = 0, 1, 125  # as the command of `git bisect run` exits
WORDS = {GOOD: "good", BAD: "bad", SKIP: "skip"}
CODES = {NOTHING: GOOD, SLOWER: BAD, CANNOT_SAY: SKIP}


@dataclass
class Looked:
    """What a commit came to: its code, and what became slower there, or why that cannot be said."""

    code: int
    why: list[str] = field(default_factory=list)


class Looking:
    """Looks at commits, each against GOOD; what they came to is kept in a file.

    So the same command goes on where it was interrupted, on the same GPU with the same driver.
    UserError if GOOD and BAD cannot differ.
    """

    def __init__(self, options: argparse.Namespace, good: str, bad: str) -> None:
        self.options, self.good, self.bad = options, good, bad
        self.name = f"requirements/{stack.chosen()}.txt"
        self.looked = {self.pins(good): Looked(GOOD)}
        if self.pins(bad) in self.looked:
            raise UserError(f"GOOD and BAD have the same pins in {self.name}")
        self.patterns: list[str] | None = options.bench
        device = machines.device()
        there = facts.collect(facts.GPU, device) if device else {}
        self.first = {
            "asked": [good, bad, self.name, options.bench, platform.python_version()],
            "versions": comparable.versions("HEAD"),
            "here": [machines.register(str(running.RESULTS))]
            + [there.get(name) for name in ("driver", conditions.GPU)],
        }
        self.path = FOLDER / f"bisect-{good[:8]}-{bad[:8]}.json"
        self.read()

    def pins(self, commit: str) -> str:
        """The pins of a commit for this Python; what no commit shares where they are broken."""
        try:
            text = git.text(commit, self.name, cwd=".") or ""
            return json.dumps(sorted(stack.pins(text, platform.python_version()).items()))
        except ValueError:
            return commit

    def read(self) -> None:
        try:
            kept = json.loads(self.path.read_text())
            looked = {pins: Looked(**one) for pins, one in kept["looked"].items()}
            if kept["first"] == self.first:
                self.looked, self.patterns = looked, kept["patterns"]
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            pass  # there is none, or half of one

    def keep(self) -> None:
        looked = {pins: asdict(one) for pins, one in self.looked.items()}
        kept = {"first": self.first, "patterns": self.patterns, "looked": looked}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = Path(f"{self.path}.new")
        new.write_text(json.dumps(kept))
        new.replace(self.path)

    def look(self, commit: str) -> Looked:
        pins = self.pins(commit)
        known = self.looked.get(pins)
        came = known or self.measured(commit)
        if not known and came.code != SKIP:
            self.looked[pins] = came
            self.keep()
        how = "known by its pins" if known else "; ".join(came.why) or "nothing became slower"
        print(f"{commit[:8]} is {WORDS[came.code]}: {how}", flush=True)
        return came

    def measured(self, commit: str) -> Looked:
        """By a comparison with GOOD. UserError only for BAD, which has to be compared."""
        words = argparse.Namespace(base=self.good, head=commit, bench=self.patterns)
        words.budget = self.options.budget
        try:
            came = running.compare(words)
        except UserError as error:
            if commit == self.bad or str(error) == "Interrupted.":
                raise
            return Looked(SKIP, [" ".join(str(error).split())])
        if commit == self.bad and came.code == SLOWER:
            self.patterns = list(slower_ones(came))
        why = came.doubts if came.code == CANNOT_SAY else list(map(answer.said, came.slower))
        return Looked(CODES[came.code], why)


def slower_ones(came: answer.Compared) -> Iterator[str]:
    """asv's --bench of all series of the families of which something became slower."""
    found = came.found
    rows = [*found.series.to_dict("records"), *found.families.to_dict("records")]
    slower = {family_of(row) for row in rows if row["found"] == "slower"}
    ours = {
        tuple(row[name] for name in SERIES)
        for row in found.series.to_dict("records")
        if family_of(row) in slower
    }
    names = set()
    for line in came.visits:
        if series(line["benchmark"], line["parameters"]) in ours:
            literals = ", ".join(map(repr, line["parameters"].values()))
            names.add(f"{line['benchmark']}({literals})")
    yield from (f"^{re.escape(name)}$" for name in sorted(names))


def family_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in FAMILY)


@contextmanager
def clone() -> Iterator[Path]:
    """A clone of the repository that has its commits and no work tree; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="gate-bisect-") as folder:
        git.ask("clone", "--quiet", "--bare", "--shared", ".", folder, cwd=".")
        yield Path(folder)


def search(looking: Looking) -> tuple[str, list[str]]:
    """The first bad commit that is known, and those before it of which none is known to be good."""
    with clone() as folder:

        def ask(*words: str) -> list[str]:
            return git.ask(*words, cwd=folder).split()

        def refs(kind: str) -> list[str]:
            return ask("for-each-ref", "--format=%(objectname)", f"refs/bisect/{kind}")

        ask("bisect", "start", "--no-checkout", looking.bad, looking.good, "--", looking.name)
        before = None
        while True:
            (bad,) = refs("bad")
            goods, skipped = refs("good-*"), refs("skip-*")
            listed = ask("rev-list", "--topo-order", bad, "--not", *goods, "--", looking.name)
            left = [commit for commit in listed if commit != bad]
            if not {*left} - {*skipped}:
                return bad, left
            if before == (bad, goods, skipped):
                raise UserError("git bisect does not go on")
            before = bad, goods, skipped
            (commit,) = ask("rev-parse", "BISECT_HEAD")
            word = WORDS[looking.look(commit).code]
            with suppress(git.CannotSay):  # it exits with 2 if only skipped ones are left
                ask("bisect", word, commit)


def bisect(options: argparse.Namespace) -> "Bisected":
    """The commit after GOOD, up to BAD, from which on something is slower than in GOOD."""
    good, bad = (comparable.commit_hash(name) for name in (options.good, options.bad))
    comparable.check_commits(good, bad)
    try:
        git.ask("merge-base", "--is-ancestor", good, bad, cwd=".")
    except git.CannotSay as error:
        why = str(error) or f"GOOD, {good[:8]}, is no ancestor of BAD, {bad[:8]}"
        raise UserError(why) from None
    looking = Looking(options, good, bad)
    came = looking.look(bad)
    if came.code == SKIP:
        raise UserError("; ".join(came.why))
    found = Bisected(looking, *search(looking)) if came.code == BAD else Bisected(looking)
    if found.code != CANNOT_SAY:  # then the same command tries those that were skipped again
        looking.path.unlink(missing_ok=True)
    return found


class Bisected:
    """The outcome: the first bad commit, or those that can be it, or that there is none."""

    def __init__(self, looking: Looking, bad: str | None = None, left: Sequence[str] = ()) -> None:
        self.code = CANNOT_SAY if left else SLOWER if bad else NOTHING
        self.ends = f"GOOD {looking.good[:8]} and BAD {looking.bad[:8]}"
        self.commits = [bad, *left] if bad else []  # the first bad one is among them
        self.slower = looking.looked[looking.pins(bad)].why if bad else []
        self.bump: bump.Bump | None = None
        if self.commits:
            before = comparable.commit_hash(f"{self.commits[-1]}^")
            self.bump = bump.between([before, str(bad)], platform.python_version())

    @property
    def headline(self) -> str:
        if not self.commits:
            return f"Nothing became slower between {self.ends}"
        if self.code == CANNOT_SAY:
            which = formats.listed(commit[:8] for commit in self.commits)
            return f"Cannot say which of {len(self.commits)} commits made it slower: {which}"
        (commit,) = self.commits
        about = git.ask("log", "-1", "--format=%as, %s", commit, cwd=".").strip()
        return f"First slower between {self.ends}: {commit[:8]} of {about}"

    def lines(self) -> list[str]:
        return ([self.bump.said()] if self.bump else []) + self.slower

    def text(self) -> str:
        return "\n".join([self.headline, *(f"  {line}" for line in self.lines())])

    def markdown(self) -> str:
        lines = [
            f"**{escaped(self.headline)}**",
            "",
            *(f"- {escaped(one)}" for one in self.lines()),
        ]
        return "\n".join(lines).rstrip() + "\n"

    def json(self) -> str:
        told = {"code": self.code, "headline": self.headline, "commits": self.commits}
        pins = self.bump.changed if self.bump else {}
        return json.dumps({**told, "pins": pins, "slower": self.slower}, indent=1) + "\n"
