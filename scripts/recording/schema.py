"""What a line of our own files is: noise, provenance, unfinished runs, the gate's recordings.

A library (msgspec) looks at it, at the one place where each kind is read. A line is handed on as it
is in the file, a dict, also with what only a later version knows. No Meta here has a `pattern`: in
msgspec 0.22 on Python 3.11 every third process that had one crashed as it ended (its issue 717).
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

LATEST = 7_258_118_400_000  # the year 2200: pandas' dates end in 2262
Milliseconds = Annotated[int, Meta(ge=0, le=LATEST)]  # since 1970
Count = Annotated[int, Meta(ge=0, le=10**15)]
Seconds = Annotated[float, Meta(gt=0, lt=1e6)]
Text = Annotated[str, Meta(max_length=1000)]
Parameters = list[Text | Count]  # of a point, in the order of its benchmark
Processes = Annotated[list[Annotated[int, Meta(ge=1, le=10**6)]], Meta(max_length=10**4)]

Why = Literal["skipped", "failed"]  # a process has no seconds

Number = Annotated[int, Meta(ge=-(10**18), le=10**18)] | Annotated[float, Meta(ge=-1e18, le=1e18)]
Value = Text | Number | bool | None
Fact = Value | list[Value | dict[Text, Value]] | dict[Text, Value]


class Noise(Struct):
    """A point in the noise file; the first files lack what has a default here."""

    benchmark: Text
    version: Text
    parameters: Parameters
    quiet: list[Count]
    samples: Processes | None = None
    sentinel: list[Seconds | None] | None = None
    visit: list[Text | None] | None = None
    skipped: Text | None = None

    def __post_init__(self) -> None:
        processes = len(self.quiet)
        for column in (self.samples, self.sentinel, self.visit):
            if column is not None and len(column) != processes:
                raise ValueError("not as many of each as there are processes")


class Run(Struct):
    """A run in the provenance file; one that did not end has neither an end nor a number."""

    started: Milliseconds
    ended: Milliseconds | None
    processes: Count | None
    facts: dict[Text, Fact]


class Note(Struct):
    """What a visit says of its samples of a series."""

    visit: Text
    samples: Count
    quiet: Count
    sentinel: Seconds


class Process(Struct):
    """What a process measured: asv's columns result (True: see the samples), samples and number,
    and its notes."""

    columns: tuple[tuple[bool | float], tuple[list[float] | None], tuple[float | None]]
    notes: list[Note]

    def __post_init__(self) -> None:
        if self.notes and self.columns[1][0] is None:
            raise ValueError("notes of no samples")


class Measured(Struct):
    """A process in the file of an unfinished run; the key tells which one."""

    key: str
    process: Process


class RunBegan(Struct):
    """A run in the file of an unfinished run."""

    run: Run


class GateRun(Run):
    """A run in a recording of the gate's."""

    alarms: list[Text]
    whole: bool


class GateBegan(Struct):
    """A line of a recording that says of a run what is known of it so far."""

    run: GateRun


class First(Struct):
    """The first line of a recording of the gate's: what is measured."""

    sides: Annotated[list[Text], Meta(min_length=2, max_length=2)]
    versions: dict[Text, Text | None]
    bench: list[Text] | None = None


class Point(Struct):
    """The parameters that a series is made of; a benchmark may lack any of them."""

    method: Text = ""
    memory: Text = ""
    dtype: Text = ""
    nbytes: Count | None = None


class Place(Struct, kw_only=True):
    """What was visited, and when."""

    benchmark: Text
    parameters: dict[Text, Text | Count]
    round: Count
    ended: Milliseconds
    visit: Count | None = None  # version 1 has none: a visit was of one series

    def __post_init__(self) -> None:
        if "." not in self.benchmark:
            raise ValueError("no benchmark's name")
        msgspec.convert(self.parameters, Point)


class Visit(Place):
    """A series of a visit, of which both sides have all rounds."""

    change: Annotated[float, Meta(gt=-30, lt=30)]
    seconds: Annotated[list[Seconds], Meta(min_length=2, max_length=2)]
    sentinel: Annotated[list[Seconds], Meta(min_length=2, max_length=2)]
    servers: Count


class Unmeasured(Place):
    """A series of a visit that one side could not measure: why, for each side."""

    unmeasured: Annotated[list[dict[Why, Text]], Meta(min_length=2, max_length=2)]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not any(self.unmeasured):
            raise ValueError("no reason")


def check(found: Any, kind: Any) -> None:
    """ValueError, which says where, if `found` is not of `kind`, one of these or a list of them."""
    try:
        msgspec.convert(found, kind)
    except RecursionError:
        raise ValueError("nested too deep") from None


def decoded(lines: bytes) -> list[Any]:
    """The values of JSON lines; ValueError if one is broken."""
    try:
        return msgspec.json.Decoder().decode_lines(lines)
    except RecursionError:
        raise ValueError("nested too deep") from None


def lines(path: Path, kind: type[Struct]) -> list[dict[str, Any]]:
    """The lines of the file at `path`, if each is a `kind`; [] if there is no file.

    ValueError, which says where, if one is broken or is none; OSError if it cannot be read.
    """
    try:
        found = decoded(path.read_bytes())
    except FileNotFoundError:
        return []
    check(found, list[kind])  # type: ignore[valid-type]
    return found
