"""The pins that differ between two commits, and those of them that a finding can come from.

What a package needs is in the comments of uv beside its pin ("# via torch").
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from scripts.setup import git, stack
from scripts.setup import pins as requirements

# All methods send a NumPy array, and are waited for by cuda.bindings (benchmarks/device.py).
SHARED = "numpy", "cuda-python"
VIA = re.compile(r"\s+#\s+(?:via\b)?\s*(?:-r )?(\S*)")


@dataclass(frozen=True)
class Bump:
    """`changed` is {package: (version in BASE, version in HEAD)}, None where it has no pin, and
    `needed_by` {package: those that need it}, of the pins that the stack's file says it of."""

    commits: Sequence[str]
    stack: str
    changed: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    needed_by: dict[str, set[str]] = field(default_factory=dict)

    def said(self) -> str:
        if not self.changed:
            return f"No pins differ ({self.stack}.txt)"
        return f"Pins that differ ({self.stack}.txt): {self.listed(self.changed)}"

    def listed(self, names: Collection[str]) -> str:
        """'numpy 2.4.0 -> 2.4.1, triton none -> 3.6.0'"""
        pairs = [(name, *self.changed[name]) for name in names]
        return ", ".join(f"{name} {old or 'none'} -> {new or 'none'}" for name, old, new in pairs)

    def causes(self, method: str, others: Collection[str] = ()) -> list[str]:
        """The pins that differ and that `method` needs, its own first.

        With `others`, which changed as it did: those that all of them need, if any does.
        """
        mine = self.needs(method)
        found = [name for name in [*mine, *self.changed] if name in self.changed]
        found = [name for name in dict.fromkeys(found) if self.in_(name, mine)]
        all_ = [self.needs(other) for other in others]
        shared = [name for name in found if all(self.in_(name, needs) for needs in all_)]
        return shared or found

    def in_(self, name: str, needs: Collection[str]) -> bool:
        """One that no comment says the need of may be needed by all."""
        return name in needs or name not in self.needed_by

    def needs(self, method: str) -> list[str]:
        """The packages that a transfer by `method`, or the link, or NumPy's copy, needs."""
        names = [*self.needed_by, *self.changed]
        own = [name for name in names if f"{name}-".startswith(f"{method}-")]
        needs = [*own, *(SHARED[:1] if method == "copy" else SHARED)]
        for need in needs:  # grows meanwhile
            more = (name for name, by in self.needed_by.items() if need in by)
            needs += [name for name in more if name not in needs]
        return list(dict.fromkeys(needs))


def between(commits: Sequence[str], python: str) -> Bump:
    """The Bump from BASE to HEAD, in the stack of this machine for the Python version `python`."""
    name = stack.chosen()
    path = f"requirements/{name}.txt"
    texts = [git.text(commit, path, cwd=".") or "" for commit in commits]
    base, head = (stack.pins(text, python) for text in texts)
    pairs = {pin: (base.get(pin), head.get(pin)) for pin in sorted({*base, *head})}
    changed = {pin: pair for pin, pair in pairs.items() if pair[0] != pair[1]}
    needed_by: dict[str, set[str]] = {}
    for text in texts:
        for pin, by in needs_in(text).items():
            needed_by.setdefault(pin, set()).update(by)
    return Bump(commits, name, changed, needed_by)


def needs_in(text: str) -> dict[str, set[str]]:
    """{package: those that need it} of the comments below each pin."""
    found: dict[str, set[str]] = {}
    pin = ""
    for line in text.splitlines():
        if comment := VIA.match(line):
            if pin and comment[1]:
                found.setdefault(pin, set()).add(comment[1])
        elif there := next(requirements.read(line), None):
            pin = there.name
    return found
