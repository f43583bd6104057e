"""What a user or the machine can cause ends in one line. Import it first: imports take a second."""

import io
import os
import sys
from types import TracebackType

from scripts.words.shown import plain


def one_line(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """sys.excepthook; anything else than the user's or the machine's is a bug, with a traceback."""
    if issubclass(kind, KeyboardInterrupt):
        print("Interrupted", file=sys.stderr)
    elif issubclass(kind, OSError):
        if not issubclass(kind, BrokenPipeError):  # ... | head
            print(plain(str(error)), file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python tries it once more
    else:
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = one_line
for stream in sys.stdout, sys.stderr:
    if isinstance(stream, io.TextIOWrapper):  # a closed one is None
        stream.reconfigure(errors="replace")  # µ in ASCII is no reason to end
