"""Write all recorded results as one table, one row a point, for a program to read.

python3 scripts/points.py --csv points.csv --parquet points.parquet

scripts/reading/points.py says what its columns hold.
"""

import argparse
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]  # the checkout

from scripts.setup import dotvenv

if __name__ == "__main__":
    dotvenv.enter_for_tables("pyarrow")

from asv.util import UserError

from scripts.reading import points


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--csv", metavar="FILE")
    parser.add_argument("--parquet", metavar="FILE")
    options = parser.parse_args(words)
    if not (options.csv or options.parquet):
        parser.error("where to? --csv FILE, --parquet FILE or both")
    try:
        table, left_out = points.load()
        for line in left_out:
            print(f"Left out: {line}", file=sys.stderr)
        if options.csv:
            table.to_csv(options.csv, index=False)
        if options.parquet:
            table.to_parquet(options.parquet, index=False)
    except (UserError, OSError, ImportError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
