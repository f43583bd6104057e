"""Take over what an untrusted machine measured: look at its files, then add them to results/.

python3 scripts/hand_over.py FOLDER COMMIT           # FOLDER holds MACHINE/FILE, results of COMMIT
python3 scripts/hand_over.py FOLDER COMMIT --read    # and read by what reads results, in .venv

For nightly.yml: its GPU runner has run the code of pull requests, and may hand over anything. All
of FOLDER is taken, or nothing: the exit code is then 1, and one line says why. Without --read this
needs the standard library only.
"""

import argparse
import re
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]  # the checkout

from scripts.reading import hand_over
from scripts.setup import dotvenv

RESULTS = dotvenv.ROOT / "results"


def main(options: argparse.Namespace) -> None:
    try:
        for path in hand_over.take(options.folder, options.commit, RESULTS, options.read):
            print(f"Taken: {path.relative_to(RESULTS)}")
    except hand_over.Refused as error:
        sys.exit(str(error))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="FOLDER", help="what was handed over")
    parser.add_argument("commit", metavar="COMMIT", help="what was measured, as 40 digits")
    parser.add_argument("--read", action="store_true", help="read it by what reads results, too")
    options = parser.parse_args()
    if not re.fullmatch("[0-9a-f]{40}", options.commit):
        parser.error(f"{options.commit} is no commit's 40 digits")
    if options.read:
        dotvenv.enter()
    main(options)
