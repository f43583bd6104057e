"""Where results come from: the facts beside each, shown, and the difference between two.

python3 scripts/provenance.py MACHINE            # what it measured last
python3 scripts/provenance.py MACHINE:COMMIT
python3 scripts/provenance.py MACHINE:COMMIT MACHINE:COMMIT
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]  # the checkout

from scripts.setup import dotvenv

if __name__ == "__main__":
    dotvenv.enter_for_tables()

from scripts.tables import origin


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="+", metavar="MACHINE[:COMMIT]", help="one, or two")
    names = parser.parse_args(words).results
    if len(names) > 2:
        parser.error("one result, or two to compare")
    origin.tell(names)


if __name__ == "__main__":
    main()
    print(end="", flush=True)  # here it is one line if it fails
