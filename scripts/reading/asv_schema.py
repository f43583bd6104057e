"""What asv's files look like: a machine's, the list of the benchmarks, the results of a commit.

As asv 0.6.6 writes them, and with the bounds that ours have. recording/schema.py has the same of
our own files.
"""

import math
import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from scripts.recording.schema import Count, Milliseconds, Number, Text

MOST_POINTS = 10**6  # of a benchmark
PARAMETER = re.compile(r"'[^'\\]*'|True|False|None|-?(0|[1-9]\d{0,17})")  # as repr has it
LARGEST = 1e15  # of a result: 1e308 and 1e-308 have no ratio
Numbers = list[float | None] | None  # a value a point; None is none of all
Version = Annotated[int, Meta(ge=0, le=1000)]  # of the file's format
Axes = list[list[Text]]


class Machine(Struct):
    """machine.json, and what a result says of its machine."""

    machine: Text
    gpu: Text | None = None
    link: Text | None = None
    python: Text | None = None


class Benchmark(Struct):
    """One of benchmarks.json."""

    name: Text
    version: Text
    unit: Text
    param_names: list[Text]
    params: Axes

    def __post_init__(self) -> None:
        check_axes(self.params)
        if len(self.param_names) != len(self.params):
            raise ValueError("not as many parameters as names")


class Result(Struct):
    """A results file; rows_of looks at its rows, the benchmarks, one by one."""

    commit_hash: Text
    env_name: Text
    date: Milliseconds
    params: dict[Text, Text | Number | None]
    python: Text
    result_columns: list[Text]
    results: dict[Text, Any]
    requirements: dict[Text, Any]
    version: Version
    env_vars: dict[Text, Any] = {}
    durations: dict[Text, float | None] = {}

    def __post_init__(self) -> None:
        if not re.fullmatch("[0-9a-f]{8,64}", self.commit_hash):
            raise ValueError("commit_hash is none")
        msgspec.convert(self.params, Machine)

    @property
    def machine(self) -> Machine:
        return msgspec.convert(self.params, Machine)


class Row(Struct):
    """What a results file has of one benchmark, a value a point in the lists."""

    params: Axes
    result: Numbers = None
    version: Text | None = None
    started_at: Milliseconds | None = None
    duration: float | None = None
    stats_ci_99_a: Numbers = None
    stats_ci_99_b: Numbers = None
    stats_q_25: Numbers = None
    stats_q_75: Numbers = None
    stats_number: list[Count | None] | None = None
    stats_repeat: list[Count | None] | None = None
    samples: list[list[float] | None] | None = None
    profile: str | None = None

    def __post_init__(self) -> None:
        points = check_axes(self.params)
        for column in COLUMNS:
            values = getattr(self, column)
            if values is not None and len(values) != points:
                raise ValueError(f"{column} is not of as many points as params")
        if self.result is None:
            self.result = [None] * points


COLUMNS = "result", *(name for name in Row.__struct_fields__ if name.startswith("stats")), "samples"


def check_axes(axes: list[list[str]]) -> int:
    """How many points they span; ValueError if a value is no parameter's, or is there twice."""
    if (points := math.prod(map(len, axes))) > MOST_POINTS:
        raise ValueError("too many points")
    for axis in axes:
        if len(set(axis)) != len(axis):
            raise ValueError("a parameter is there twice")
        if not all(map(PARAMETER.fullmatch, axis)):
            raise ValueError("no parameter of a benchmark's")
    return points


def row_of(result: Result, name: str) -> Row:
    """What `result` has of the benchmark `name`; ValueError if that is broken."""
    values = result.results[name]
    if not isinstance(values, list):
        raise ValueError("not a list of its columns")
    return msgspec.convert(dict(zip(result.result_columns, values, strict=False)), Row)


def absurd(value: float | None) -> bool:
    """Whether a result is a number that no measurement gives. NaN is n/a, and none of them."""
    return value is not None and value == value and not -LARGEST < value < LARGEST
