"""Rows of points.py's table whose truth is stated: nothing was measured."""

import math

import pandas

from scripts.words.vocabulary import OTHERS, TRANSFERS

METHODS = ["cuda-python", "torch", "cupy", "pycuda"]
SIZES = [1024 * 8**step for step in range(7)]
WAYS_SIZES = [65536 * 8**step for step in range(5)]
VISITS, DF, SD = 2, 21, 0.005


def rows(operation, seconds, sd=SD, **columns):
    """Of {size: {method or way: seconds}}, as if measured in turn in VISITS visits."""
    named = "way" if "ordinary" in operation or operation == "many_arrays" else "method"
    found = []
    for nbytes, of_names in seconds.items():
        logs = {name: math.log(value) for name, value in of_names.items()}
        mean = sum(logs.values()) / len(logs)
        found += [
            {"nbytes": nbytes, named: name, "seconds": of_names[name], "relative": log - mean}
            for name, log in logs.items()
        ]
    known = {name: does.benchmark for name, does in TRANSFERS.items()} | OTHERS
    fixed = {
        **{"machine": "m", "gpu": "GPU", "pcie_link": None, "commit": "c" * 40},
        **{"environment": "e", "benchmark": known[operation], "operation": operation},
        **{
            "version": "2",
            "status": "ok",
            "reason": None,
            "memory": None,
            "dtype": None,
            "method": None,
        },
        **{"way": None, "installed_bytes": None, "processes": VISITS, "visits": VISITS},
        **{"processes_quiet": VISITS, "log_sd": 0.03, "degrees_of_freedom": DF},
        **{"relative_sd": sd, "relative_df": DF},
    }
    table = pandas.DataFrame(found)
    lacking = {name: value for name, value in fixed.items() if name not in table}
    table = table.assign(**lacking | columns)
    return table.assign(gb_per_s=table["nbytes"] / table["seconds"] / 1e9)


def transfers(operation, memory, factors=lambda nbytes: {}, link=5e10, call=1e-5, **more):
    """Of one operation and memory: `call` seconds and the bytes over `link`, times `factors`."""
    seconds = {
        nbytes: {name: (call + nbytes / link) * factors(nbytes).get(name, 1.0) for name in METHODS}
        for nbytes in SIZES
    }
    return rows(operation, seconds, memory=memory, dtype="float32", **more)


def run(*parts):
    return pandas.concat(parts, ignore_index=True)
