"""Made-up fleets: no GPU of them exists. As noisy as checks of one host were from one to the next.

The spread between processes on an H100 host (facts of the visits): pinned and large 0.8 %, pinned
and small 2.3 %, pageable 4 %; half of the variance is a host's, the rest a GPU's. Or as different
as three real hosts were in five runs (tests/recorded): virtual machines, with other tenants.
"""

import functools
import json
from collections import defaultdict

import numpy

from scripts.hosts.kinds import ALONE, AT_ONCE, TRANSFERS
from scripts.hosts.schema import Line, Measured
from scripts.reading.links import Link
from scripts.words.vocabulary import HUGE, LARGE
from tests.conftest import ROOT

RATES = {("pinned", True): 54.8, ("pinned", False): 6.3, ("pageable", True): 11.0}
RATES |= {("pageable", False): 3.8}
SPREAD = {("pinned", True): 0.008, ("pinned", False): 0.023}
PAGEABLE = 0.04
COLUMNS = [(one, when) for one in TRANSFERS for when in (ALONE, AT_ONCE)]
KINDS = [one.kind(when) for one, when in COLUMNS]
LARGE_ONES = numpy.array([one.nbytes >= LARGE for one, _ in COLUMNS])
CLASSES = [(one.memory, one.nbytes >= LARGE) for one, _ in COLUMNS]
NAME = "made-up GPU"
RUNS = "second-run", "other-host-1", "other-host-2", "third-host-1", "third-host-2"


def values(rng, hosts=100, gpus=8, df=None):
    """Logarithms of GB/s, a row a GPU: normal or, with `df`, Student's t of the same variance."""

    def noise(rows):
        if df is None:
            return rng.standard_normal((rows, len(KINDS)))
        return rng.standard_t(df, (rows, len(KINDS))) / numpy.sqrt(df / (df - 2))

    centre = numpy.log([RATES[one] for one in CLASSES])
    spread = numpy.array([SPREAD.get(one, PAGEABLE) for one in CLASSES])
    both = numpy.repeat(noise(hosts), gpus, axis=0) + noise(hosts * gpus)
    return centre + spread * both / numpy.sqrt(2)


@functools.cache
def recorded_runs():
    """Of each of CLASSES: by how much each of RUNS differs from their mean, and each point of it
    from that, in logarithms."""
    taken = defaultdict(list)
    for run in RUNS:
        for line in (ROOT / "tests" / "recorded" / f"{run}.jsonl").read_text().splitlines():
            benchmark, method, memory, _, nbytes, seconds, _ = json.loads(line)
            if "existing" in benchmark and nbytes < HUGE:
                taken[memory, nbytes >= LARGE, method, nbytes].append(-numpy.log(seconds))
    found = {}
    for one in set(CLASSES):
        points = numpy.array([runs for key, runs in taken.items() if key[:2] == one])
        points = (points - points.mean(axis=1, keepdims=True)) * numpy.sqrt(
            len(RUNS) / (len(RUNS) - 1)
        )
        of_run = points.mean(axis=0)
        found[one] = of_run, (points - of_run).ravel()
    return found


def as_recorded(rng, hosts=100, gpus=8):
    """As `values`: hosts differ by as much as RUNS, in all kinds together, and each number of a
    GPU is as far off as a point of a run was."""
    mixed = rng.standard_normal((hosts, len(RUNS))) / numpy.sqrt(len(RUNS))
    columns = [
        numpy.log(RATES[one]) + numpy.repeat(mixed @ of_run, gpus) + rng.choice(rest, hosts * gpus)
        for one in CLASSES
        for of_run, rest in [recorded_runs()[one]]
    ]
    return numpy.column_stack(columns)


def lines(rows, gpus=8, time=1_800_000_000_000, name=NAME):
    """The lines of hosts that measured `rows`."""
    return [
        Line(
            host=f"host{at // gpus:03}",
            time=time,
            gpu=name,
            uuid_hash=f"{name} {at}",
            pci=f"0000:{at % gpus:02x}:00.0",
            numa_node=0,
            cores_numa_nodes="0",
            link=Link(5, 16),
            link_max=Link(5, 16),
            measured={
                kind: Measured(rate, [rate])
                for kind, rate in zip(KINDS, numpy.exp(row).tolist(), strict=True)
            },
            verdict="as expected",
            reason="made up",
        )
        for at, row in enumerate(rows)
    ]
