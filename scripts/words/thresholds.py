"""What decides: when a core is quiet, when two numbers differ, what matters; each with a reason."""

from scripts.words.vocabulary import HUGE, KINDS

QUIET = 1.12  # of the sentinel's quiet level (benchmarks/measure.py): slower was no quiet core
THROTTLED = 0.01  # of a run's time; for longer, no CPU quota may stop its processes
LEVEL = 0.99  # of every interval, and at which two numbers of one result differ

# Runs differ by more than their processes do: for two of them the spread is this much wider. Two
# runs, nothing changed, 112 points: so 1 is told apart on an H200 and none on an H100; with 1.0 it
# would be 7 and 1.
BETWEEN_RUNS = 1.5

# By how much a point's seconds may differ between two runs with nothing changed, below HUGE and
# from there on: all but one of 336 points differed by less, measured twice on each of three H100
# hosts (tests/recorded). A step of the history begins above it.
UNCHANGED = {"pinned": (0.13, 0.1), "pageable": (0.19, 0.3)}


def unchanged(memory: str, nbytes: int) -> float:
    """What of `UNCHANGED` holds for a transfer."""
    return UNCHANGED[memory][nbytes >= HUGE]


# The gate. Of a whole comparison, nominal: how often something is found where nothing changed.
FALSE_ALARMS = 0.005
# The least change that is worth a finding: in one series, in a whole family.
MATTERS = dict(zip(KINDS, ((0.015, 0.0075), (0.04, 0.015), (0.05, 0.02)), strict=True))
# The slowdowns that are to be found 95 % of the time: in one series, in a whole family.
TARGETS = dict(zip(KINDS, ((0.02, 0.01), (0.06, 0.025), (0.08, 0.03)), strict=True))

# A host's check. GB/s of a PCIe lane each way, by generation, and what of a link's a large pinned
# transfer reaches at least: 54.7 of 63 on an H100 (87 %); a link of half the width has half.
LANE = {1: 0.25, 2: 0.5, 3: 0.985, 4: 1.969, 5: 3.938, 6: 7.563}
REACHES = 0.75
