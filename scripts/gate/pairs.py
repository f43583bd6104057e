"""From visits to series: which point of the grid each visit was of, and what it changed by."""

import pandas

from scripts.reading.intervals import LARGE

SERIES = ["benchmark", "method", "memory", "dtype", "nbytes"]
VISIT = ["round", "servers", "change"]
FEWEST = 4  # visits that a series is judged by


def kind(memory, nbytes):
    """'pinned, below': the transfers that are alike; what is not pinned is as pageable."""
    if memory != "pinned":
        return "pageable"
    return "pinned, 4 MiB and more" if nbytes >= LARGE else "pinned, below"


def operation(benchmark):
    """'new_array'"""
    return benchmark.rsplit(".", 1)[1].removeprefix("time_")


def series_of(benchmark, parameters):
    """The values of SERIES of a point, also where its benchmark has no such parameter."""
    has, name = parameters.get, operation(benchmark)
    memory = has("memory") or ("pinned" if name == "link" else "pageable")
    return benchmark, has("method") or name, memory, has("dtype") or "", has("nbytes")


def of(visits):
    """A row a visit that measured: SERIES, VISIT and kind; change is a logarithm, HEAD over BASE.

    `visits` are the lines of a recording.
    """
    rows = [
        (*series_of(line["benchmark"], line["parameters"]), *(line[name] for name in VISIT))
        for line in visits
        if "change" in line and line["parameters"].get("nbytes")
    ]
    table = pandas.DataFrame(rows, columns=[*SERIES, *VISIT])
    table["kind"] = [kind(*row) for row in zip(table["memory"], table["nbytes"], strict=True)]
    return table.sort_values([*SERIES, "round"], ignore_index=True)
