"""What is to be expected of a GPU, and whether it is so: a verdict and a line of reason.

First its siblings on the host, then the recorded machines of its name, then what its link can do:
whichever it falls short of is named.
"""

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy
from asv.util import UserError

from scripts.hosts import causes, ranking
from scripts.hosts.kinds import ALONE, AT_ONCE, SIZES, TRANSFERS, Transfer
from scripts.hosts.schema import Line
from scripts.reading import links, points
from scripts.words.formats import change, count, listed, rate
from scripts.words.thresholds import REACHES, unchanged
from scripts.words.vocabulary import MEMORY, TO_DEVICE, TO_HOST

LARGE_PINNED = MEMORY[0], SIZES[-1]
MOST_ROUNDS = 0.75  # of the rounds must show it, or a few disturbed ones would
REASON = 200  # characters, as long as a scheduler may show
CODES = {"as expected": ranking.FINE, "slow": ranking.SLOW, "cannot say": ranking.CANNOT_SAY}


class Short(NamedTuple):
    """What a GPU falls short of: by how much (a logarithm), in which kind, of whose."""

    by: float
    kind: str
    whose: str


def judged(lines: Sequence[Line]) -> list[Line]:
    """The lines with their verdict; one without measurements keeps its own."""
    for line in lines:
        if line.measured:
            others = [
                one for one in lines if one is not line and one.gpu == line.gpu and one.measured
            ]
            judge(line, others)
    return list(lines)


def judge(line: Line, siblings: Sequence[Line]) -> None:
    """Put verdict and reason into `line`."""
    mig = " MIG " in (line.gpu or "")  # slices share a GPU's link: nobody's rate is expected
    siblings = [] if mig else siblings
    recorded = None if mig else recorded_rate(line.gpu)
    can = None if mig else line.link_max
    limit = can.carries if can else None
    found = [
        *beside_siblings(line, siblings),
        *beside(line, recorded, links.AS_OTHERS, "recorded machines", [TO_DEVICE]),
        *beside(line, limit, REACHES, str(can), [TO_DEVICE, TO_HOST]),
    ]
    narrow = causes.narrowed(line.link, can, "can do")
    if found or narrow:
        worst = min(found, default=None)
        kinds = [short.kind for short in found]
        told = causes.probable(line, kinds=kinds) or [causes.NONE]
        where = f"{worst.kind}: {change(worst.by)} against {worst.whose}: " if worst else ""
        line.verdict, line.reason = "slow", fit(where + "; ".join(told))
        return
    against = [
        siblings and count(len(siblings), "sibling", "siblings"),
        recorded and "recorded machines of its name",
        limit and f"what {can} can do",
    ]
    if any(against):
        through = ", through MPS" * line.mps
        like = f"as {listed(filter(None, against))}{through}"
        line.verdict, line.reason = "as expected", fit(like)
    else:
        kind = "a MIG slice shares its link" if mig else "no sibling, no record, no link known"
        line.verdict, line.reason = "cannot say", f"nothing to hold it against: {kind}"


def beside_siblings(line: Line, siblings: Sequence[Line]) -> Iterator[Short]:
    """Where it is slower than their median, in most rounds, by more than nothing explains."""
    for transfer in TRANSFERS:
        for when in ALONE, AT_ONCE:
            kind = transfer.kind(when)
            theirs = [one.measured[kind].rounds for one in siblings if kind in one.measured]
            if kind not in line.measured or not theirs:
                continue
            ours = line.measured[kind].rounds
            number = min(map(len, [ours, *theirs]))
            usual = numpy.median([numpy.log(rounds[:number]) for rounds in theirs], axis=0)
            differ = numpy.log(ours[:number]) - usual
            least = -unchanged(transfer.memory, transfer.nbytes)
            if numpy.quantile(differ, MOST_ROUNDS) < least:
                yield Short(float(numpy.median(differ)), kind, "its siblings")


def beside(
    line: Line, usual: float | None, share: float, whose: str, directions: Sequence[str]
) -> Iterator[Short]:
    """Where large pinned transfers alone reach less than this share of `usual`, GB/s."""
    for direction in directions:
        kind = Transfer(direction, *LARGE_PINNED).kind(ALONE)
        if usual and kind in line.measured:
            ours = line.measured[kind].gb_per_s
            if ours < share * usual:
                yield Short(math.log(ours / usual), kind, f"{whose} ({rate(usual)} GB/s)")


def recorded_rate(gpu: str | None) -> float | None:
    """GB/s to the device of such a transfer on the recorded machines of this name; None without.

    The least of what was measured of such sizes, by CUDA's own calls.
    """
    try:
        table, _ = points.load()
    except (UserError, OSError):
        return None
    same = links.large(table[table["gpu"].eq(gpu)], "existing_array")
    return None if same.empty else float(same["gb_per_s"].min())


def fit(reason: str) -> str:
    """A line that a scheduler takes as it is: ASCII, without quotes, not too long."""
    return re.sub(r"[^ -~]|[\"'`\\$]", "", reason)[:REASON]


def code(lines: Sequence[Line]) -> int:
    """The exit code: 1 if any is slow; else 2 if of any nothing can be said."""
    found = {CODES[line.verdict] for line in lines}
    return ranking.SLOW if ranking.SLOW in found else max(found)


def reason(lines: Sequence[Line]) -> str:
    """One line for the host, of the first GPU that decides."""
    codes = [CODES[line.verdict] for line in lines]
    line = lines[codes.index(code(lines))]
    return fit(f"{line.verdict}: {line.pci or line.host}: {line.reason}")
