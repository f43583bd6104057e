"""Write all recorded results as one table, one row a point, for a program to read.

python3 scripts/points.py --csv points.csv --parquet points.parquet

scripts/reading/points.py says what its columns hold. Here there are some more, of the run that
measured the point: driver, gpu_uuid_hash (which of several GPUs of a kind), and the version of each
library, numpy to cuda_runtime. They are empty where a run recorded none. Each value has its name
before it, as in "python 3.10": no reader makes the number 3.1 of that.
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

import pandas
from asv.util import UserError

from scripts.reading import points
from scripts.recording import provenance
from scripts.words.shown import plain, say_left_out

EARLY = pandas.Timestamp(0, tz="UTC")
FACTS = "driver", "numpy", "cuda-python", "torch", "cupy", "pycuda", "cuda runtime", "gpu uuid hash"
COLUMNS = {fact: fact.replace("-", "_").replace(" ", "_") for fact in FACTS}


def with_origin(table: pandas.DataFrame, left_out: list[str]) -> pandas.DataFrame:
    """`table` of reading/points.py and the columns that it has here; see its `left_out`, too."""
    parts = [table.reindex(columns=[*table.columns, *COLUMNS.values()]).iloc[:0]]
    for run, rows in table.groupby(points.RUN, observed=True, sort=False):
        runs = provenance.beside(points.RESULTS, left_out, *map(str, run))
        started = [one["started"] for one in runs]
        began = pandas.to_datetime(started, unit="ms", utc=True).as_unit("ns")
        measured = rows["measured"].dt.as_unit("ns").fillna(EARLY)
        last = began.searchsorted(measured, side="right") - 1  # -1: nobody knows the run
        facts = [one["facts"] for one in runs]
        origin = {
            column: [named(fact, facts[at].get(fact)) if at >= 0 else None for at in last]
            for fact, column in COLUMNS.items()
        }
        parts.append(rows.assign(**origin))
    table = pandas.concat(parts).sort_index()
    table["python"] = ["python " + version for version in table["python"].astype(str)]
    return table.astype(dict.fromkeys(("python", *COLUMNS.values()), "category"))


def named(fact: str, value: object) -> str | None:
    """A value as text that no reader takes for a number."""
    return None if value is None else f"{fact} {value}"


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    # pandas takes what has :// in it for an address, and asks the network
    parser.add_argument("--csv", metavar="FILE", type=os.path.abspath)
    parser.add_argument("--parquet", metavar="FILE", type=os.path.abspath)
    options = parser.parse_args(words)
    if not (options.csv or options.parquet):
        parser.error("where to? --csv FILE, --parquet FILE or both")
    try:
        table, left_out = points.load()
        table = with_origin(table, left_out)
        say_left_out(left_out)
        if options.csv:
            table.to_csv(options.csv, index=False)
        if options.parquet:
            table.to_parquet(options.parquet, index=False)
    except (UserError, OSError, ImportError) as error:
        sys.exit(plain(str(error)))


if __name__ == "__main__":
    main()
