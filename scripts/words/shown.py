"""Text from elsewhere, made plain where it is shown: a terminal would obey what is in it."""

import logging
import os
import re
import sys
from collections.abc import Iterable
from typing import Any, TextIO

# Control characters, marks that turn the direction of text round, and halves of characters, which
# cannot be written.
CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def plain(value: Any) -> Any:
    """`value`; if it is text, one line of it without anything that a terminal would obey."""
    return CONTROL.sub("", value) if isinstance(value, str) else value


def plain_lines(text: str) -> str:
    """The same of text of several lines, which stay."""
    return "\n".join(map(plain, text.expandtabs().split("\n")))


def say(text: object, file: TextIO | None = None) -> None:
    """Print `text`, lines of ours with names in them from elsewhere, onto stdout or `file`."""
    print(plain_lines(str(text)), file=file)


def cannot_say(why: object) -> None:
    """Say why nothing can be said, onto stderr, as far as that can be written at all."""
    try:
        say(f"Cannot say: {why}", sys.stderr)
    except OSError:  # an error here would end in exit code 1, which is a finding
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def say_left_out(lines: Iterable[str]) -> None:
    """What could not be read, a line each, onto stderr."""
    for line in lines:
        say(f"Left out: {plain(line)}", sys.stderr)


def plain_record(record: logging.LogRecord) -> bool:
    """A filter for a logger or its handler: what it says comes out plain."""
    record.msg, record.args = plain_lines(record.getMessage()), ()
    return True
