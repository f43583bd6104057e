"""How asv writes and reads its JSON files."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asv.commands.compare
import asv.commands.show
from asv import util

from scripts.asv_plugin.replaced import replace
from scripts.reading import asv_files  # before anything is replaced: it keeps asv's own


@replace(util, "write_json", "an interrupt or a full disk leaves half a file")
def write_json(original: Callable[..., None], path: str, *args: Any, **kwargs: Any) -> None:
    new = f"{path}.new"
    try:
        original(new, *args, **kwargs)
        os.replace(new, path)
    finally:
        Path(new).unlink(missing_ok=True)


@replace(
    util,
    "load_json",
    "a file of another shape ends asv's commands in a traceback",
    asv.commands.compare,
    asv.commands.show,
)
def load_json(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return asv_files.load_json(*args, **kwargs)
