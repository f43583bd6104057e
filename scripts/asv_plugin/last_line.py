"""How asv ends: what a user can cause is one line; anything else is a bug, with a traceback."""

import contextlib
import logging
import sys
from pathlib import Path
from types import TracebackType

from asv import util
from asv.console import log
from asv.repo import NoSuchNameError

from scripts.asv_plugin.environments import reason
from scripts.asv_plugin.running import interrupted
from scripts.words import one_line, shown


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


logging.getLogger().addFilter(shown.plain_record)  # asv's log: no control characters
sys.excepthook = last_line
