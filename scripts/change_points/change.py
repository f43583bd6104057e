"""A change point, as the detector found it, with what changed there."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class Change:
    """The transfers of one method and direction with one kind of memory, which from `commit` on
    take `percent` more seconds (negative: fewer): the median over the series that moved. With
    `by_ratio` they do so beside the other methods, whatever all methods together did.

    `families` has, for each operation that moved, its own `percent`, `of`, how many series of it
    could be judged, and `series`, those that moved, each with its percent. `pins` and `facts` are
    {name: (before, after)} of what differs between the two commits, None where nobody knows;
    `doubts` is what makes the results of the two doubtful, by commit.
    """

    commit: str
    date: datetime  # the commit's, UTC
    before: str  # the last commit before the change
    candidate: bool  # of the newest or oldest commit alone: it may be an outlier
    method: str  # or "link", or ALL
    memory: str
    direction: str
    by_ratio: bool
    percent: float
    low_99: float
    high_99: float
    families: list[dict[str, Any]]
    pins: dict[str, Any] | None = None
    facts: dict[str, Any] | None = None
    doubts: dict[str, list[str]] = field(default_factory=dict)

    @property
    def slower(self) -> bool:
        return self.percent > 0

    @property
    def in_time(self) -> str:
        """'20.1 % more time'. 'Faster' would be read as of a rate, of which 60 % less is 150 %."""
        return f"{abs(self.percent):.1f} % {'more' if self.slower else 'less'} time"
