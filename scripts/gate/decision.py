"""The decision: from a verdict, and from what was amiss while it was measured, to an exit code.

0 says that nothing became slower, so whatever could not be looked at makes it a 2.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.gate.pairs import FEWEST
from scripts.gate.verdict import Verdict, promise

NOTHING, SLOWER, CANNOT_SAY = 0, 1, 2
SIDES = "BASE", "HEAD"


@dataclass(frozen=True)
class Decision:
    """The exit code; `doubts`, in words, are what makes a comparison worthless, `notes` are not."""

    code: int
    doubts: list[str]
    notes: list[str]


def decide(
    found: Verdict,
    visits: Iterable[dict[str, Any]],
    alarms: Sequence[str],
    cut_short: Sequence[str],
) -> Decision:
    """What a comparison comes to.

    `visits` are the lines of its recording, `alarms` what was wrong with the machine, `cut_short`
    says where the budget ended before all doubts were looked at again. That alone is no doubt where
    something is slower beyond doubt.
    """
    doubts: list[str] = list(dict.fromkeys(alarms))
    notes: list[str] = []
    for there, whys in zip((doubts, notes), not_measured(visits), strict=True):
        there += whys
    clear = found.series["clear"].any() or found.families["clear"].any()
    (notes if clear else doubts).extend(cut_short)
    slower = any(rows["found"].eq("slower").any() for rows in (found.series, found.families))
    if not slower:
        doubts += blind(found)
    few = int((found.series["visits"] < FEWEST).sum())
    if few:
        doubts.append(f"{few} series have fewer than {FEWEST} processes a side")
    return Decision(CANNOT_SAY if doubts else SLOWER if slower else NOTHING, doubts, notes)


def not_measured(visits: Iterable[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """What was not measured, in words: where that is a doubt, and where it is not.

    A failure is a doubt, and so is a point that is n/a on one side only.
    """
    points: dict[Any, list[dict[str, str]]] = {}
    doubts: dict[str, int] = {}
    notes: dict[str, int] = {}
    for line in visits:
        if "unmeasured" in line:
            points[line["benchmark"], tuple(line["parameters"].values())] = line["unmeasured"]
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
            why, there = f"were not measured: {sides[0]['skipped']}", notes
        there[why] = there.get(why, 0) + 1
    said = ([f"{count} points {why}" for why, count in whys.items()] for whys in (doubts, notes))
    return next(said), next(said)


def blind(found: Verdict) -> Iterable[str]:
    """A doubt if most of a comparison's series could miss a slowdown of 100 %."""
    missed = int((promise(found.series) > math.log(2)).sum())
    if 2 * missed > len(found.series):
        yield f"too noisy: in {missed} of {len(found.series)} series even +100 % may be missed"
