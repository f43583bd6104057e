"""Which method? What the numbers of one run say, as tables and as sentences made from them.

Everything but the dtypes is about float32, and all about one result. A method "cannot be told from"
the fastest if their seconds do not differ at the level of 99 % (intervals.py).
"""

import itertools
import math

import numpy
from scipy.special import fdtrc  # scipy.stats: f.sf

from scripts.reading import intervals
from scripts.words.formats import size
from scripts.words.thresholds import BETWEEN_RUNS
from scripts.words.vocabulary import COLD, MEMORY, OTHERS, TRANSFERS

PIN = OTHERS["pin"]
NEEDED = [
    *("benchmark", "operation", "method", "memory", "dtype", "nbytes", "seconds"),
    *("installed_bytes", "processes", "log_sd", "degrees_of_freedom"),
]


def measured(run, **columns):
    """The rows of `run` that have seconds, and these values in these columns."""
    chosen = run["status"].eq("ok")
    for column, value in columns.items():
        chosen &= run[column].eq(value)
    rows = run.loc[chosen, NEEDED]
    return rows.assign(method=rows["method"].astype(str))


def fastest(run, memory, operation):
    """A row for each range of neighbouring sizes that have the same answer.

    Each has `sizes` in words, `best` (the fastest method and those that cannot be told from it,
    the fastest first) and `others`: {method: (least, most) per cent that it takes longer}.
    """
    rows = measured(run, memory=memory, operation=operation, dtype="float32")
    answers = [at_size(group) for _, group in rows.groupby("nbytes", observed=True)]
    ranges = []
    for (best, _), same in itertools.groupby(answers, same_answer):
        same = list(same)
        leads = [answer["best"][0] for answer in same]
        first = max(leads, key=leads.count)
        others = {
            method: [answer["others"][method] for answer in same] for method in same[0]["others"]
        }
        ends = [size(same[index]["nbytes"]) for index in (0, -1)]
        ranges.append(
            {
                "sizes": " to ".join(dict.fromkeys(ends)),
                "best": [first, *sorted(best - {first})],
                "others": {name: (min(costs), max(costs)) for name, costs in others.items()},
            }
        )
    return ranges


def same_answer(answer):
    return frozenset(answer["best"]), frozenset(answer["others"])


def at_size(rows):
    """The fastest of `rows`, one a method, those like it, and the others' cost in per cent."""
    first = rows.loc[rows["seconds"].idxmin()]
    apart = intervals.differ(rows, first)
    cost = 100 * (rows["seconds"] / first["seconds"] - 1)
    like = rows[~apart & rows["method"].ne(first["method"])]
    return {
        "nbytes": first["nbytes"],
        "best": [str(first["method"]), *like["method"].astype(str)],
        "others": dict(zip(rows["method"][apart].astype(str), cost[apart], strict=True)),
    }


def side_by_side(run, operation):
    """A row a method and size measured in both kinds of memory: the columns of both, suffixed."""
    keys = ["method", "nbytes"]
    pinned, pageable = (
        measured(run, memory=memory, operation=operation, dtype="float32") for memory in MEMORY
    )
    return pinned.merge(pageable, on=keys, suffixes=("_pinned", "_pageable")).sort_values(keys)


def of(rows, memory):
    columns = "seconds", "log_sd", "processes", "degrees_of_freedom"
    return {column: rows[f"{column}_{memory}"] for column in columns}


def pinned_from(run, operation):
    """{method: the size in bytes from which on pinned is faster than pageable; None if never}.

    Without the methods of which nobody knows, as the noise is not known.
    """
    rows = side_by_side(run, operation)
    rows = rows[rows["log_sd_pinned"].notna() & rows["log_sd_pageable"].notna()]
    gain = intervals.differ(of(rows, "pinned"), of(rows, "pageable"))
    rows["faster"] = gain & (rows["seconds_pinned"] < rows["seconds_pageable"])
    found = {}
    for method, group in rows.groupby("method", observed=True, sort=False):
        on = list(
            itertools.takewhile(
                lambda row: row[1], zip(group["nbytes"][::-1], group["faster"][::-1], strict=True)
            )
        )
        found[str(method)] = int(on[-1][0]) if on else None
    return found


def transfers_to_pay(run, operation):
    """{method: {size in bytes: transfers after which making the array pinned has paid}}.

    None where pinned cannot be told to be faster; {} if no pinning was measured.
    """
    pin = measured(run, benchmark=PIN)[["method", "nbytes", "seconds"]]
    rows = side_by_side(run, operation).merge(pin, on=["method", "nbytes"])
    rows = rows[rows["log_sd_pinned"].notna() & rows["log_sd_pageable"].notna()]
    saved = rows["seconds_pageable"] - rows["seconds_pinned"]
    saved = saved.where(intervals.differ(of(rows, "pinned"), of(rows, "pageable")), 0)
    found = {}
    for method, nbytes, cost, gain in zip(
        rows["method"], rows["nbytes"], rows["seconds"], saved, strict=True
    ):
        count = math.ceil(cost / gain) if gain > 0 else None
        found.setdefault(str(method), {})[int(nbytes)] = count
    return found


def cold_start(run):
    """{method: {"import": s, "first copy": s, ..., "installed": bytes}} as far as recorded."""
    rows = measured(run)
    rows = rows[rows["benchmark"].astype(str).str.startswith("cold_start.")]
    found = {}
    for row in rows.itertuples():
        name = COLD.get(row.operation, "installed")
        value = row.installed_bytes if name == "installed" else row.seconds
        found.setdefault(str(row.method), {})[name] = float(value)
    return found


def dtype_differences(run, same_run=True):
    """A row a method, memory, operation and size measured with several dtypes.

    `spread`: slowest over fastest, minus 1. `p`: how likely noise alone makes the dtypes differ
    so (F-test of the logarithms, the variance that of intervals.py); `slowest`: the dtype.
    """
    rows = measured(run)
    rows = rows[rows["operation"].isin(list(TRANSFERS)) & rows["log_sd"].notna()]
    rows = rows.assign(log=numpy.log(rows["seconds"]), processes=rows["processes"].astype(float))
    keys = ["method", "memory", "operation", "nbytes"]
    same = rows.assign(sum=rows["log"] * rows["processes"]).groupby(keys, observed=True)
    mean = same["sum"].transform("sum") / same["processes"].transform("sum")
    rows["square"] = rows["processes"] * (rows["log"] - mean) ** 2
    same = rows.groupby(keys, observed=True, sort=False)
    found = same[["log_sd", "degrees_of_freedom"]].first()
    found["spread"] = numpy.expm1(same["log"].max() - same["log"].min())
    found["slowest"] = rows.loc[same["log"].idxmax(), "dtype"].astype(str).to_numpy()
    found["more"] = same.size() - 1
    found = found.assign(square=same["square"].sum()).query("more > 0")
    widen = 1.0 if same_run else BETWEEN_RUNS
    ratio = found["square"] / found["more"] / (widen * found["log_sd"]) ** 2
    found["p"] = fdtrc(found["more"], found["degrees_of_freedom"], ratio)
    return found.reset_index()
