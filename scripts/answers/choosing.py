"""Which method? What the numbers of one run say, as tables and as sentences made from them.

Everything but the dtypes is about float32, and all about one result. Methods are compared by their
ratios within visits (reading/standing.py), pinned and pageable memory, which no visit measures
together, by their seconds. What "cannot be told apart" does not differ at the level of 99 %.
"""

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy
from pandas import DataFrame
from scipy.special import fdtrc  # scipy.stats: f.sf

from scripts.answers import standings
from scripts.reading import dtypes, intervals
from scripts.words.thresholds import BETWEEN_RUNS
from scripts.words.vocabulary import COLD, MEMORY, OTHERS, TRANSFERS

PIN = OTHERS["pin"]
NEEDED = [
    *("machine", "benchmark", "operation", "method", "memory", "dtype", "nbytes", "seconds"),
    *("installed_bytes", "processes", "log_sd", "degrees_of_freedom"),
    *("visits", "relative", "relative_sd", "relative_df"),
]


def measured(run: DataFrame, **columns: str) -> DataFrame:
    """The rows of `run` that have seconds, and these values in these columns."""
    chosen = run["status"].eq("ok")
    for column, value in columns.items():
        chosen &= run[column].eq(value)
    rows = run.loc[chosen, NEEDED]
    return rows.assign(method=rows["method"].astype(str))


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


def side_by_side(run: DataFrame, operation: str) -> DataFrame:
    """A row a method and size measured in both kinds of memory: the columns of both, suffixed."""
    keys = ["method", "nbytes"]
    pinned, pageable = (
        measured(run, memory=memory, operation=operation, dtype="float32") for memory in MEMORY
    )
    return pinned.merge(pageable, on=keys, suffixes=("_pinned", "_pageable")).sort_values(
        "nbytes", kind="stable"
    )


def of(rows: DataFrame, memory: str) -> dict[str, Any]:
    columns = "seconds", "log_sd", "processes", "degrees_of_freedom"
    return {column: rows[f"{column}_{memory}"] for column in columns}


def pinned_from(run: DataFrame, operation: str) -> dict[str, int | None]:
    """{method: the size in bytes from which on pinned is faster than pageable; None if never}.

    Without the methods of which nobody knows, as the noise is not known.
    """
    rows = side_by_side(run, operation)
    rows = rows[rows["log_sd_pinned"].notna() & rows["log_sd_pageable"].notna()]
    gain = intervals.differ(of(rows, "pinned"), of(rows, "pageable"))
    rows["faster"] = gain & (rows["seconds_pinned"] < rows["seconds_pageable"])
    found: dict[str, int | None] = {}
    for method, group in rows.groupby("method", observed=True, sort=False):
        on = list(
            itertools.takewhile(
                lambda row: row[1], zip(group["nbytes"][::-1], group["faster"][::-1], strict=True)
            )
        )
        found[str(method)] = int(on[-1][0]) if on else None
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
    pin = measured(run, benchmark=PIN)[["method", "nbytes", "seconds"]]
    rows = side_by_side(run, operation).merge(pin, on=["method", "nbytes"])
    rows = rows[rows["log_sd_pinned"].notna() & rows["log_sd_pageable"].notna()]
    saved = rows["seconds_pageable"] - rows["seconds_pinned"]
    saved = saved.where(intervals.differ(of(rows, "pinned"), of(rows, "pageable")), 0)
    found: dict[str, dict[int, int | None]] = {}
    for method, nbytes, cost, gain in zip(
        rows["method"], rows["nbytes"], rows["seconds"], saved, strict=True
    ):
        count = math.ceil(cost / gain) if gain > 0 else None
        found.setdefault(str(method), {})[int(nbytes)] = count
    return found


def cold_start(run: DataFrame) -> dict[str, dict[str, float]]:
    """{method: {"import": s, "first copy": s, ..., "installed": bytes}} as far as recorded."""
    rows = measured(run)
    rows = rows[rows["benchmark"].astype(str).str.startswith("cold_start.")]
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
    rows = measured(run)
    rows = rows[rows["operation"].isin(list(TRANSFERS)) & rows["log_sd"].notna()]
    rows = dtypes.comparable(rows)
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
