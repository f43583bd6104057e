"""What asv has no place for: notes for its plugin, and why something is n/a here and no failure."""

import json
from typing import Any, NoReturn

from asv_runner.benchmarks.mark import SkipNotImplemented

from .methods import Unusable


def note(**facts: Any) -> None:
    """Tell scripts/asv_plugin/, which reads the process's output."""
    print("note:", json.dumps(facts), flush=True)


def skip(reason: str) -> NoReturn:
    """What is asked for is n/a, for this reason."""
    raise SkipNotImplemented(reason)


def why_not(error: BaseException) -> str | None:
    """Why what ended with `error` is n/a; None if that is a failure.

    n/a is what this machine or this stack has not: a library, a device, enough memory (in the
    words of NumPy or of one of the libraries).
    """
    if isinstance(error, (SkipNotImplemented, Unusable)):
        return str(error)
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return f"not enough memory: {(str(error).strip() or 'MemoryError').splitlines()[0]}"
    return None
