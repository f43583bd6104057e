"""What changed between two results of a machine, beside their numbers.

It is read from the pins, the requirements of the two commits, and from the provenance
beside the two results.
"""

import functools
import re
from pathlib import Path

from scripts.recording import provenance
from scripts.setup import git
from scripts.setup import pins as requirements

PARTS = "measured in"  # of a result that more than one run added to
STACKS = "host", "cu12", "cu13"


@functools.cache
def pins(commit: str) -> dict[str, str]:
    """{'cu13: torch': '2.13.0', ...} of the commit's requirements; {} if git does not have it."""
    found: dict[str, str] = {}
    for stack in STACKS if re.fullmatch("[0-9a-f]{7,40}", commit) else ():
        try:
            pinned = list(requirements.read(git.text(commit, f"requirements/{stack}.txt") or ""))
        except (git.CannotSay, ValueError):  # no git here, no such commit, or a broken file
            continue
        for pin in pinned:
            key = f"{stack}: {pin.name}"  # one version for each Python that the lines tell apart
            version = f"{pin.version} ; {pin.marker}" if pin.marker else pin.version
            found[key] = f"{found[key]} | {version}" if key in found else version
    return found


def facts(results: str | Path, left_out: list[str], *run: str) -> dict[str, str]:
    """{name: value} recorded beside the result `run` (machine, commit, environment) by the run of
    asv that added to it last, and how many did; {} if nothing. A broken file: see `left_out`."""
    runs = provenance.beside(results, left_out, *run)
    found = runs[-1]["facts"] if runs else {}
    parts = {}
    if len(runs) > 1:
        gpus = {str(run["facts"].get("gpu uuid hash")) for run in runs}
        parts[PARTS] = f"{len(runs)} runs" + (f", on {len(gpus)} GPUs" if len(gpus) > 1 else "")
    return parts | {name: provenance.text(value) for name, value in found.items()}
