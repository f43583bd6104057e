"""Which method? What the numbers of one run say, as tables and as sentences made from them.

Everything but the dtypes is about float32, and all about one result. Methods are compared by their
ratios within visits (reading/standing.py), pinned and pageable memory, which no visit measures
together, by their seconds. What "cannot be told apart" does not differ at the level of 99 %.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy
from pandas import DataFrame
from scipy.special import fdtrc  # scipy.stats: f.sf

from scripts.answers import paying, standings
from scripts.reading import chosen, dtypes, intervals
from scripts.words.thresholds import BETWEEN_RUNS
from scripts.words.vocabulary import COLD


def fastest(run: DataFrame, memory: str, operation: str) -> list[dict[str, Any]]:
    """A row for each range of neighbouring sizes that have the same answer.

    Each has `sizes` in words, `best` (the methods of which none is told to be faster than another,
    in the order in which they were measured), `others`: {method: (least, most) per cent that it
    takes longer than the fastest}, and `margin`: by how many per cent two methods must differ to
    be told apart, (least, most), NaN where nobody knows.
    """
    found = standings.of(run, operation, memory)
    return [
        {
            "sizes": standings.sizes(same),
            "best": best,
            "others": {
                name: (min(costs), max(costs))
                for name in others
                for costs in [[one.others[name] for one in same]]
            },
            "margin": (min(one.margin for one in same), max(one.margin for one in same)),
        }
        for (best, others), same in standings.ranges(
            found, lambda one: (one.best, sorted(one.others))
        )
    ]


def saved_by_pinning(run: DataFrame, operation: str) -> dict[str, dict[int, float]]:
    """{method: {size in bytes: seconds that a pinned array saves; 0 where that is not told}}.

    Without the methods of which nobody knows, as the noise is not known.
    """
    pageable = {one.nbytes: one.rows for one in standings.of(run, operation, "pageable")}
    found: dict[str, dict[int, float]] = {}
    for one in standings.of(run, operation, "pinned"):
        for method, row in one.rows.items():
            other = pageable.get(one.nbytes, {}).get(method)
            if other and not math.isnan(row["log_sd"] + other["log_sd"]):
                saved = (other["seconds"] - row["seconds"]) * intervals.differ(row, other)
                found.setdefault(method, {})[one.nbytes] = max(saved, 0)
    return found


def pinned_from(run: DataFrame, operation: str) -> dict[str, int | None]:
    """{method: the size in bytes from which on pinned is faster than pageable; None if never}."""
    found: dict[str, int | None] = {}
    for method, saved in saved_by_pinning(run, operation).items():
        found[method] = None
        for nbytes, seconds in saved.items():
            found[method] = (found[method] or nbytes) if seconds else None
    return found


def by_size(begins: Mapping[str, int | None]) -> list[tuple[int, list[str]]]:
    """The same the other way round: each size, and the methods from it on; without the Nones."""
    sizes: dict[int, list[str]] = {}
    for method, nbytes in begins.items():
        if nbytes is not None:
            sizes.setdefault(nbytes, []).append(method)
    return sorted(sizes.items())


def transfers_to_pay(run: DataFrame, operation: str) -> dict[str, dict[int, int | None]]:
    """{method: {size in bytes: transfers after which making the array pinned has paid}}.

    None where pinned cannot be told to be faster; {} if no pinning was measured.
    """
    found = {}
    for method, saved in saved_by_pinning(run, operation).items():
        costs = paying.cost(run, "pin", method)
        if there := [nbytes for nbytes in saved if nbytes in costs]:
            found[method] = {
                nbytes: math.ceil(costs[nbytes] / saved[nbytes]) if saved[nbytes] else None
                for nbytes in there
            }
    return found


def cold_start(run: DataFrame) -> dict[str, dict[str, float]]:
    """{method: {"import": s, "first copy": s, ..., "installed": bytes}} as far as recorded."""
    rows = run[run["status"].eq("ok") & run["benchmark"].str.startswith("cold_start.")]
    found: dict[str, dict[str, float]] = {}
    for row in rows.itertuples():
        name = COLD.get(row.operation, "installed")
        value = row.installed_bytes if name == "installed" else row.seconds
        found.setdefault(str(row.method), {})[name] = float(value)
    return found


def dtype_differences(run: DataFrame, same_run: bool = True) -> DataFrame:
    """A row a method, or ALL, memory, operation and size measured with several dtypes.

    What they are compared by, reading/dtypes.py says. `spread`: slowest over fastest, minus 1.
    `p`: how likely noise alone makes the dtypes differ so (F-test of the logarithms); `slowest`:
    the dtype.
    """
    rows = chosen.transfers(run)
    rows = dtypes.comparable(rows[rows["log_sd"].notna()])
    keys = ["method", "memory", "operation", "nbytes"]
    same = rows.assign(sum=rows["log"] * rows["replicates"]).groupby(keys, observed=True)
    mean = same["sum"].transform("sum") / same["replicates"].transform("sum")
    rows["square"] = rows["replicates"] * (rows["log"] - mean) ** 2
    same = rows.groupby(keys, observed=True, sort=False)
    found = same[["sd", "free"]].first()
    found["spread"] = numpy.expm1(same["log"].max() - same["log"].min())
    found["slowest"] = rows.loc[same["log"].idxmax(), "dtype"].astype(str).to_numpy()
    found["more"] = same.size() - 1
    found = found.assign(square=same["square"].sum()).query("more > 0")
    widen = 1.0 if same_run else BETWEEN_RUNS
    ratio = found["square"] / found["more"] / (widen * found["sd"]) ** 2
    found["p"] = fdtrc(found["more"], found["free"], ratio)
    return found.reset_index()
