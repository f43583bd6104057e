"""Write all recorded results as one table, one row a point, for a program to read.

python3 scripts/points.py --csv points.csv --parquet points.parquet

scripts/reading/points.py says what its columns hold, scripts/reading/exported.py what a file adds.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]  # the checkout

from scripts.setup import dotvenv

if __name__ == "__main__":
    dotvenv.enter_for_tables("pyarrow")

from asv.util import UserError

from scripts.reading import exported, points
from scripts.words.shown import plain, say_left_out


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    # pandas takes what has :// in it for an address, and asks the network
    parser.add_argument("--csv", metavar="FILE", type=os.path.abspath)
    parser.add_argument("--parquet", metavar="FILE", type=os.path.abspath)
    options = parser.parse_args(words)
    if not (options.csv or options.parquet):
        parser.error("where to? --csv FILE, --parquet FILE or both")
    if options.csv == options.parquet:
        parser.error(f"{options.csv} cannot be both")
    try:
        table, left_out = points.load()
        table = exported.of(table, left_out)
        say_left_out(left_out)
        if options.csv:
            table.to_csv(options.csv, index=False)
        if options.parquet:
            table.to_parquet(options.parquet, index=False)
    except (UserError, OSError, ImportError) as error:
        sys.exit(plain(str(error)))


if __name__ == "__main__":
    main()
