"""Which pins the work tree has other versions of than HEAD: tables, for a pull request.

    python3 scripts/setup/moved.py      # nothing if none has moved

It is read from files that another job made (.github/workflows/pins.yml), so whatever in
them is no pin is refused: an option or an address would be obeyed where they are installed.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]  # it is called as a command

from scripts.setup import git, pins
from scripts.setup.environment import ROOT


def versions(text: str) -> dict[str, str]:
    """{package: version}, "2.4.6, 2.5.5" where it depends on the Python; ValueError if a line is
    no pin."""
    found: dict[str, str] = {}
    for line in pins.lines(text):
        pin = next(pins.read(line), None)
        if not pin or "--" in line:
            raise ValueError(f"{line!r} is no pin")
        before = found.get(pin.name)
        found[pin.name] = f"{before}, {pin.version}" if before else pin.version
    return found


def moved(name: str, old: str, new: str) -> Iterator[str]:
    """Lines of Markdown: what moved from the text `old` to `new` of a file; none if nothing did."""
    before, after = versions(old), versions(new)
    names = [one for one in sorted({*before, *after}) if before.get(one) != after.get(one)]
    if names:
        yield from [f"**{name}**", "", "| | from | to |", "| --- | --- | --- |"]
        yield from (f"| {one} | {before.get(one, '')} | {after.get(one, '')} |" for one in names)
        yield ""


def main() -> None:
    lines = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=lines).parse_args()
    for path in sorted(Path(ROOT, "requirements").glob("*.txt")):
        try:
            old = git.text("HEAD", f"requirements/{path.name}") or ""
            for line in moved(path.stem, old, path.read_text()):
                print(line)
        except (git.CannotSay, OSError, ValueError) as error:
            sys.exit(f"{path.name}: {error}")


if __name__ == "__main__":
    main()
