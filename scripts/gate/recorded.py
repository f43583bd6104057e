"""What gate.py says of what is recorded already: a machine's history."""

import argparse
import json
from collections.abc import Mapping
from typing import Any

from scripts.change_points import history as machine_history
from scripts.change_points import in_words
from scripts.gate import decision
from scripts.reading import points
from scripts.reading.chosen import NoSuchResult, unabbreviated
from scripts.words.formats import some

RESULTS = points.RESULTS


def only(machine: str | None) -> str:
    """`machine`, which may be abbreviated, or the only one; NoSuchResult if there is none such."""
    there = sorted({path.parent.name for path in RESULTS.glob("*/machine.json")})
    if machine is None and len(there) == 1:
        return there[0]
    named = unabbreviated(machine or "", there)
    if named not in there:
        which = f"there are {some(there)}" if there else "there is none"
        of = "Of which?" if machine is None else f"No machine {machine!r}:"
        raise NoSuchResult(f"{of} {which}")
    return named


class Said:
    """An outcome that fails nothing."""

    code = decision.NOTHING

    def __init__(self, text: str, markdown: str, facts: Mapping[str, Any]) -> None:
        self.text, self.markdown = lambda: text.rstrip(), lambda: markdown
        self.json = lambda: json.dumps(facts, indent=1) + "\n"


def history(options: argparse.Namespace) -> Said:
    machine = only(options.machine)
    found = machine_history.of_machine(RESULTS, machine)
    return Said(
        f"{machine}\n{in_words.text(*found)}",
        f"**{machine}**\n\n{in_words.markdown(*found)}",
        {"machine": machine, **in_words.as_json(*found)},
    )
