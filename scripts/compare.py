"""Recorded results, the answers first, then side by side, of one float32 array.

python3 scripts/compare.py                          # what was measured last
python3 scripts/compare.py nvidia-h200              # a machine's methods; its newest result
python3 scripts/compare.py nvidia-h200:0d3bb95a     # at this commit
python3 scripts/compare.py nvidia-h200 nvidia-h100-80gb-hbm3  # two machines or commits; or more
python3 scripts/compare.py --answers nvidia-h200    # the sentences alone
python3 scripts/compare.py --markdown nvidia-h200   # as Markdown
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]  # the checkout

from scripts.setup import dotvenv

if __name__ == "__main__":
    dotvenv.enter_for_tables()

from scripts.tables import compared
from scripts.tables.held_against import LETTERS


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="A RESULT is MACHINE or MACHINE:COMMIT."
    )
    parser.add_argument("results", nargs="*", metavar="RESULT", help="the last if none")
    parser.add_argument("--answers", action="store_true", help="the sentences, without the tables")
    parser.add_argument("--markdown", action="store_true", help="as Markdown, not for a terminal")
    options = parser.parse_args(words)
    if len(options.results) > len(LETTERS):
        parser.error(f"{len(LETTERS)} results at a time")
    compared.show(options.results, options.markdown, options.answers)


if __name__ == "__main__":
    main()
    print(end="", flush=True)  # here it is one line if it fails
