"""Pinned requirements, read the same way by all: stacks, comparisons, the history and .venv.

    python pins.py REQUIREMENTS     # exit code 1, and what this Python lacks of them

A file is pip's: comments, lines that go on after a backslash, options as --hash, markers.
"""

import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

PIN = re.compile(
    r"([A-Za-z0-9][\w.-]*?)\s*(?:\[[^]]*\])?\s*={2,3}\s*(\w[\w.+!*-]*)\s*(?:;\s*(.*))?$"
)


class Pin(NamedTuple):
    name: str  # in lower case, with hyphens
    version: str
    marker: str  # "" if it always holds
    line: str  # as pip reads it, in one line


def lines(text: str) -> Iterator[str]:
    """pip's lines: comments taken out, those that go on joined."""
    joined = re.sub(r"\\\r?\n", " ", re.sub(r"(?m)^\s*#.*$", "", text.removeprefix("\ufeff")))
    for line in joined.splitlines():
        line = re.sub(r"(^|\s)#.*$", "", line).strip()
        if line:
            yield line


def read(text: str) -> Iterator[Pin]:
    """The pins in a file's `text`; what pins no version is none. ValueError if a line is broken."""
    for line in lines(text):
        requirement = re.split(r"\s--?\w", f" {line}", maxsplit=1)[0].strip()
        if not requirement or "==" not in requirement.partition(";")[0]:
            continue  # an option, a URL, another kind of requirement
        found = PIN.match(requirement)
        if not found:
            raise ValueError(f"{requirement!r} is no pin")
        name, version, marker = found.groups()
        yield Pin(re.sub(r"[-_.]+", "-", name).lower(), version, (marker or "").strip(), line)


def hold(pin: Pin, python: str | None = None) -> bool:
    """Whether the marker of `pin` holds, for another Python's version if that is said."""
    if not pin.marker:
        return True
    from packaging.markers import InvalidMarker, Marker

    other = {}
    if python:
        other = {"python_full_version": python, "python_version": ".".join(python.split(".")[:2])}
    try:
        return Marker(pin.marker).evaluate(other)
    except InvalidMarker:
        raise ValueError(f"{pin.marker!r} is no marker") from None


def same(pinned: str, installed: str) -> bool:
    """Is the version `installed` the pinned one; a pin without a local part takes any."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion

    try:
        return SpecifierSet(f"=={pinned}").contains(installed, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return pinned == installed


def lacking(text: str) -> Iterator[str]:
    """The pins of a file's `text` that this Python does not have, as 'name==version'."""
    for pin in read(text):
        if hold(pin):
            try:
                there = metadata.version(pin.name)
            except metadata.PackageNotFoundError:
                there = None
            if there is None or not same(pin.version, there):
                yield f"{pin.name}=={pin.version}"


if __name__ == "__main__":
    if told := " ".join(lacking(Path(sys.argv[1]).read_text())):
        sys.exit(told)
