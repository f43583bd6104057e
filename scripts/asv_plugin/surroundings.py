"""What asv runs in: a clean environment, a folder for its temporary files; what it starts ends with
it. In effect once it is imported, before anything else of the plugin."""

import os
import sys
from pathlib import Path

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

# So that an asv that is killed leaves neither pip nor its server running.
os.register_at_fork(after_in_child=children.ending_with_us())
