"""How asv ends: what a user can cause is one line; anything else is a bug, with a traceback."""

import contextlib
import logging
import re
import sys
from pathlib import Path
from types import TracebackType

from asv import util
from asv.console import log
from asv.repo import NoSuchNameError

from scripts.asv_plugin.environments import reason
from scripts.asv_plugin.running import interrupted
from scripts.words import one_line, shown

CACHE = re.compile(r"Setting up \w+:\d+")


def last_line(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    with contextlib.suppress(OSError):
        log.flush()
    if issubclass(kind, KeyboardInterrupt):
        print(interrupted(), file=sys.stderr)
    elif issubclass(kind, NoSuchNameError):
        print(f"asv: no such commit: {error}", file=sys.stderr)
    elif issubclass(kind, util.ProcessError):
        print(f"asv: {Path(error.args[0]).name} failed: {reason(error)}", file=sys.stderr)
    elif issubclass(kind, OSError) and not issubclass(kind, BrokenPipeError):
        print(f"asv: {error}", file=sys.stderr)
    else:
        one_line.one_line(kind, error, traceback)


def for_readers(record: logging.LogRecord) -> bool:
    """A filter for asv's log: plain, and without the line of code that makes a setup_cache."""
    shown.plain_record(record)
    record.msg = CACHE.sub("Finding out how fast a quiet core is", record.msg)
    return True


logging.getLogger().addFilter(for_readers)
sys.excepthook = last_line
