"""What decides: when a core is quiet, when two numbers differ, what matters; each with a reason."""

from scripts.words.vocabulary import HUGE, KINDS, kind

QUIET = 1.12  # of the sentinel's quiet level (benchmarks/measure.py): slower was no quiet core
THROTTLED = 0.01  # of a run's time; for longer, no CPU quota may stop its processes
# Of the processes that measured transfers: fewer all the time on a quiet core, and the host was
# busy. Three H100 and H200 hosts had 62 % and more.
FEW_QUIET = 0.25
LEVEL = 0.99  # of every interval, and at which two numbers of one result differ

# Runs differ by more than their processes do: for two of them the spread is this much wider. Two
# runs, nothing changed, 112 points: so 1 is told apart on an H200 and none on an H100; with 1.0 it
# would be 7 and 1.
BETWEEN_RUNS = 1.5

# Of methods: where all are so near to the fastest, which one hardly matters. A pinned transfer's
# new array, or pageable memory, costs more than that.
HARDLY = 0.1

# Methods that were measured in turn, for what one of them did to be told from what all did: of two
# nobody knows which one changed.
MOST_STAND = 3

# By how much a point's seconds may differ between two runs with nothing changed, below HUGE and
# from there on: all but one of 336 points differed by less, measured twice on each of three H100
# hosts (tests/recorded). A step of the history begins above it.
UNCHANGED = {"pinned": (0.13, 0.1), "pageable": (0.19, 0.3)}


# The same of a method's ratios, where all methods were measured in turn: about three times the
# standard deviation of what two runs of two visits a point differ by, as prototypes had it on an
# H100 (0.4, 0.6 and up to 0.75 %, the median points).
UNCHANGED_RATIO = dict(zip(KINDS, (0.015, 0.02, 0.025), strict=True))


def unchanged(memory: str, nbytes: int, by_ratio: bool = False) -> float:
    """What of `UNCHANGED`, or `UNCHANGED_RATIO`, holds for a transfer."""
    if by_ratio:
        return UNCHANGED_RATIO[kind(memory, nbytes)]
    return UNCHANGED[memory][nbytes >= HUGE]


# The gate. Of a whole comparison, nominal: how often something is found where nothing changed.
FALSE_ALARMS = 0.005
# The least change that is worth a finding: in one series, in a whole family. Pageable ones from
# HUGE on vary most: with 5 % there, too, 2.5 of 100 replays of the H100's calibration found
# something.
MATTERS = dict(zip(KINDS, ((0.015, 0.0075), (0.04, 0.015), (0.05, 0.02)), strict=True))
MATTERS_HUGE = 0.1
# The slowdowns that are to be found 95 % of the time: in one series, in a whole family.
TARGETS = dict(zip(KINDS, ((0.02, 0.01), (0.06, 0.025), (0.08, 0.03)), strict=True))


def matters(kind: str, nbytes: float) -> float:
    """What of these holds for a series of that kind and size."""
    return MATTERS_HUGE if kind == KINDS[2] and nbytes >= HUGE else MATTERS[kind][0]


# A host's check. GB/s of a PCIe lane each way, by generation, and what of a link's a large pinned
# transfer reaches at least: 54.7 of 63 on an H100 (87 %); a link of half the width has half.
LANE = {1: 0.25, 2: 0.5, 3: 0.985, 4: 1.969, 5: 3.938, 6: 7.563}
REACHES = 0.75
