"""A visit: one process measures all series of a point in turn, and tells of all of them.

asv asks for one of them, and gets its samples. The note for asv's plugin has those of the others,
which it keeps until asv asks for them:

    {"visit": id, "parameter": "method", "asked": "torch", "quiet": 25, "sentinel": 5.3e-05,
     "series": {"torch": {"seconds": [...]},
                "cupy": {"skipped": reason}, "pycuda": {"failed": text}}}

`seconds` are those of one transfer; the samples of a visit are of the same rounds, one by one, the
first `quiet` of them from a quiet core. `sentinel` is how fast the core was, in seconds. The two
are not there if no series was measured. "skipped" beside them is why what asv asked for is n/a,
"stayed" why the process could not choose its core. With more samples than a visit has, a process
makes further visits, and notes each.

A process that dies, or whose CUDA context breaks, writes no note of the visit. Where the file
`singly` is in the current folder, the process measures what it is asked for, and nothing else.
"""

import contextlib
import gc
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy

from . import checks, quiet_core
from .group import Group
from .in_turn import Round, rounds_of
from .reasons import note, skip, why_not
from .series import Series

SINGLY = "singly"


def samples(
    level: float,
    asked: str,
    makers: Mapping[str, Callable[[], Series]],
    wanted: int,
    parameter: str | None = None,
) -> Iterator[float]:
    """Iterates over the samples, in seconds, of the series `asked`, for Clock.tick.

    `makers` are functions that prepare the series of the point, by name, which is the value of
    the benchmark's `parameter`. A visit has `wanted` rounds. `level` is the sentinel's quiet level
    in seconds. What is wrong with the series `asked` is raised: SkipNotImplemented if it is n/a.
    """
    if Path(SINGLY).exists():
        makers = {asked: makers[asked]}
    group = Group(makers)
    while True:
        with collector_at_rest():
            rounds = visit(group, level, wanted)
        trouble = group.troubles.get(asked)
        tell(group, rounds, parameter=parameter, asked=asked)
        if trouble and (reason := why_not(trouble)):
            skip(reason)
        if trouble:
            raise trouble
        yield from [one.seconds[asked] for one in rounds]


def visit(group: Group, level: float, wanted: int) -> list[Round]:
    """Rounds of the series of `group`; one that does not bring the right bytes leaves.

    All bytes change before the first round: only the rounds can have brought those of the check.
    """
    change_sources(group)
    group.each(lambda series: series.place())
    rounds = rounds_of(group, level, wanted)
    group.each(lambda series: series.check())
    return rounds


def change_sources(group: Group) -> None:
    sources = [one.source for one in group.series.values() if one.source is not None]
    for source in {id(source): source for source in sources}.values():  # some share theirs
        checks.change(source)


@contextlib.contextmanager
def collector_at_rest() -> Iterator[None]:
    """Python's garbage collector neither runs in the block nor looks at what was there before."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def tell(group: Group, rounds: list[Round], **asked: str | None) -> None:
    """Note a visit: see above."""
    told: dict[str, Any] = {"visit": uuid.uuid4().hex, **asked, "series": {}}
    for name in group.series:
        told["series"][name] = {"seconds": [one.seconds[name] for one in rounds]}
    for name, trouble in group.troubles.items():
        reason = why_not(trouble)
        text = "".join(traceback.format_exception(trouble))
        told["series"][name] = {"skipped": reason} if reason else {"failed": text}
        if reason and name == asked["asked"]:
            told["skipped"] = reason
    if group.series:
        told["quiet"] = sum(one.quiet for one in rounds)
        told["sentinel"] = float(numpy.median([one for took in rounds for one in took.sentinels]))
    if quiet_core.refused:
        told["stayed"] = quiet_core.refused[0]
    note(**told)
