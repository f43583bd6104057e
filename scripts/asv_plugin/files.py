"""How asv writes and reads its JSON files."""

import os
from pathlib import Path

from asv import util

from scripts.asv_plugin.replaced import replace


@replace(util, "write_json", "an interrupt or a full disk leaves half a file")
def write_json(original, path, *args, **kwargs):
    new = f"{path}.new"
    try:
        original(new, *args, **kwargs)
        os.replace(new, path)
    finally:
        Path(new).unlink(missing_ok=True)


@replace(util, "load_json", "a file of another shape ends asv's commands in a traceback")
def load_json(original, path, *args, **kwargs):
    """asv expects an object, with a version that is a number."""
    try:
        data = original(path, *args, **kwargs)
    except (TypeError, UnicodeDecodeError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise util.UserError(f"{path} is not a file of asv's")
    return data
