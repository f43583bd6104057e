"""A line a GPU: what a host measured of it, under which conditions, and what it makes of it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from scripts.reading.links import Link
from scripts.recording import schema
from scripts.recording.schema import Count, Milliseconds, Text

VERSION = 1
Rate = Annotated[float, Meta(gt=0, lt=1e6)]  # GB/s
Verdict = Literal["as expected", "slow", "cannot say"]


class Measured(Struct):
    """Of one kind of transfer: the median of its rounds, and each of them."""

    gb_per_s: Rate
    rounds: Annotated[list[Rate], Meta(min_length=1, max_length=1000)]


class Line(Struct, kw_only=True):
    """A GPU of a host; what is None or empty could not be had. Without a GPU `gpu` is None."""

    version: Literal[1] = 1
    host: Annotated[str, Meta(min_length=1, max_length=253)]
    time: Milliseconds
    gpu: Text | None = None
    uuid_hash: Text | None = None
    pci: Text | None = None
    numa_node: Count | None = None
    cores_numa_nodes: Text | None = None  # '0-1,3': of the cores that the check may use
    link: Link | None = None  # under load
    link_max: Link | None = None
    replays: tuple[Count, Count] | None = None  # of PCIe, before and after
    throttle_reasons: list[Text] = []
    other_processes: Count = 0
    mps: bool = False  # CUDA's Multi-Process Service is between
    busy_rounds: Count = 0  # in most of whose transfers the core was not quiet
    cpu_quota: Text | None = None
    cpu_stopped_seconds: Annotated[float, Meta(ge=0, lt=1e6)] = 0.0  # by that quota
    driver: Text | None = None
    measured: dict[Text, Measured] = {}  # by kind of transfer, kinds.py
    verdict: Verdict
    reason: Text

    @property
    def key(self) -> str:
        """What tells a GPU apart, wherever it is; without one the host itself."""
        return self.uuid_hash or f"{self.host} {self.pci or ''}"

    def __str__(self) -> str:
        return f"{self.host} {self.pci or self.uuid_hash or '(no GPU)'}"


def line_of(text: bytes) -> Line:
    """ValueError, which says what is wrong with it in a few words."""
    try:
        (found,) = schema.decoded(text)
    except ValueError as error:
        raise ValueError(f"broken: {error}") from None
    if isinstance(found, dict) and found.get("version") != VERSION:
        raise ValueError(f"of version {found.get('version')!r}, not {VERSION}")
    try:
        return msgspec.convert(found, Line, strict=True)
    except msgspec.ValidationError as error:
        raise ValueError(f"no line of a GPU: {error}") from None


def read(paths: Iterable[Path]) -> tuple[list[Line], list[str]]:
    """The lines of all files, and what is none of them and why, a line each. OSError."""
    lines, left_out = [], []
    for path in paths:
        texts = path.read_bytes().splitlines()
        if not any(text.strip() for text in texts):
            left_out.append(f"{path}: empty")
        for number, text in enumerate(texts, 1):
            if not text.strip():
                continue
            try:
                lines.append(line_of(text))
            except ValueError as error:
                left_out.append(f"{path}:{number}: {error}")
    return lines, left_out


def written(lines: Iterable[Line]) -> bytes:
    """As a file has them."""
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
