"""What asv runs in: a clean environment, a folder for its temporary files; what it starts ends with
it. In effect once it is imported, before anything else of the plugin."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from asv import util

from scripts.asv_plugin.replaced import REPLACED
from scripts.setup import children, environment, temporary
from scripts.words import one_line  # noqa: F401 - a full disk is one line

for descriptor in range(3):  # what we open next, or asv's forkserver, would take a closed one
    try:
        os.fstat(descriptor)
    except OSError:
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)

environment.clean()
temporary.use()

# asv looks for python3.12 on PATH before it takes the one that runs it, which is there for sure.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


class Child(subprocess.Popen[Any]):
    def __init__(
        self, *args: Any, preexec_fn: Callable[[], None] | None = None, **kwargs: Any
    ) -> None:
        kwargs["preexec_fn"] = children.ending_with_us(preexec_fn)
        super().__init__(*args, **kwargs)


REPLACED["util.subprocess"] = "an asv that is killed leaves pip and its server running"
util.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": Child})
