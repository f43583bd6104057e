"""Made-up fleets: no GPU of them exists. As noisy as checks of one host were from one to the next.

The spread between processes on an H100 host (facts of the visits): pinned and large 0.8 %, pinned
and small 2.3 %, pageable 4 %; half of the variance is a host's, the rest a GPU's.
"""

import numpy

from scripts.hosts.kinds import ALONE, AT_ONCE, TRANSFERS
from scripts.hosts.schema import Line, Measured
from scripts.reading.links import Link
from scripts.words.vocabulary import LARGE

RATES = {("pinned", True): 54.8, ("pinned", False): 6.3, ("pageable", True): 11.0}
RATES |= {("pageable", False): 3.8}
SPREAD = {("pinned", True): 0.008, ("pinned", False): 0.023}
PAGEABLE = 0.04
COLUMNS = [(one, when) for one in TRANSFERS for when in (ALONE, AT_ONCE)]
KINDS = [one.kind(when) for one, when in COLUMNS]
LARGE_ONES = numpy.array([one.nbytes >= LARGE for one, _ in COLUMNS])
NAME = "made-up GPU"


def values(rng, hosts=100, gpus=8, df=None):
    """Logarithms of GB/s, a row a GPU: normal or, with `df`, Student's t of the same variance."""

    def noise(rows):
        if df is None:
            return rng.standard_normal((rows, len(KINDS)))
        return rng.standard_t(df, (rows, len(KINDS))) / numpy.sqrt(df / (df - 2))

    keys = [(one.memory, one.nbytes >= LARGE) for one, _ in COLUMNS]
    centre = numpy.log([RATES[key] for key in keys])
    spread = numpy.array([SPREAD.get(key, PAGEABLE) for key in keys])
    both = numpy.repeat(noise(hosts), gpus, axis=0) + noise(hosts * gpus)
    return centre + spread * both / numpy.sqrt(2)


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
