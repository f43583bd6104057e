"""What asv lacks for this suite, by the part of asv that it touches; no other room touches asv.

asv.conf.json names it as a plugin, so that plain asv commands have all of it. The gate opens two
stacks through stacks.py and processes.py; nobody else calls it.

- surroundings.py  a clean environment, children that end with asv
- files.py         its JSON files, written whole and read with care
- environments.py  a commit's stack, an existing Python, and why something could not be installed
- machines.py      this machine and its GPU, registered by itself; one run at a time
- in_short.py      what bench.py shows of it: what asv does, how far it is, and for how long still
- servers.py       the process that processes are forked from, renewed
- visits.py        which points of a benchmark one visit measures
- processes.py     one process of one point: its notes, what an unfinished run has kept of it
- results.py       results with their noise and provenance, which nothing replaces in silence
- running.py       `asv run`: what it records, and how it ends
- stacks.py        the parts of asv's runner that a comparison of two stacks is made of
- publishing.py    the report, the one detector's regressions, a preview for this machine alone
- offline.py       asv's pages with no internet
- last_line.py     what a user can cause ends in one line

Each replacement inside asv says beside it what breaks without it: replaced.py lists them all.
tests/asv_plugin/, which runs asv for real, fails if asv (0.6.6) changes under them.
"""

try:
    from scripts.asv_plugin import (  # noqa: F401, I001 - in this order
        surroundings,
        files,
        environments,
        machines,
        in_short,
        servers,
        results,
        processes,
        running,
        offline,
        publishing,
        last_line,
    )
except ImportError as error:
    from asv.util import UserError

    raise UserError(f"{error}: pip install -r requirements/dev.txt") from None
