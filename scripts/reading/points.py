"""All recorded results as one tidy table: one row a point, operation, commit and machine.

What the columns hold (units are in their names):

machine, gpu, pcie_link     the machine as asv knows it, its GPU and link as far as it can go
commit, commit_date         the stack's commit, and when it was made (UTC)
python, environment         the Python measured with, and asv's name of the environment
measured                    when asv started the benchmark (UTC)
benchmark, version          asv's name, such as reference.Link.time_link, and its version
operation                   what it does, in a word: new_array, existing_array, link, copy, pin, ...
                            (words/vocabulary.py); no two benchmarks share one
method, way, memory, dtype, nbytes, wait    the parameters; empty where it has no such one
status                      ok; n/a: a library, driver, device or memory was not there, or the point
                            was not asked for; failed: anything else. Only ok has numbers
reason                      why it is n/a, as the benchmark said; empty where nothing is noted, and
                            so of a point that was not asked for
seconds                     of one call: the median over all samples
seconds_low_99, seconds_high_99         intervals.py says how it comes about
gb_per_s, gb_per_s_low_99, gb_per_s_high_99     nbytes / seconds / 1e9; low has the high seconds
installed_bytes             what a method's installation takes (cold_start alone)
processes, processes_quiet  how many fresh processes measured it, and how many of them had a quiet
                            core all the time; 0 where no noise was recorded
process_spread              slowest process's median over the fastest's, minus 1
sentinel_seconds            the sentinel, median over the processes
log_sd, degrees_of_freedom  between processes, of the logarithm of the seconds, pooled by kind
visits                      in how many visits it was measured in turn with other methods; empty if
                            in none: it was measured alone, or before there were visits
relative                    mean over these visits of its log ratio to the mean of all methods
relative_sd, relative_df    between visits, of one method's own part in it, pooled by kind
"""

import gc
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy
import pandas
from asv.results import get_filename

from scripts.reading import asv_files, intervals
from scripts.reading.results_file import (
    PARAMETERS,
    ROOT,
    File,
    Part,
    known_benchmarks,
    read_all,
    results_files,
)
from scripts.words.shown import plain

gc.freeze()  # to look through all that is imported, for garbage, takes as long as to read
RESULTS = ROOT / "results"
TEXT = [
    *("machine", "gpu", "pcie_link", "commit", "python", "environment", "benchmark", "version"),
    *("operation", "method", "way", "memory", "dtype", "wait", "status", "reason"),
]
COLUMNS = [
    *("machine", "gpu", "pcie_link", "commit", "commit_date", "python", "environment", "measured"),
    *("benchmark", "version", "operation", *PARAMETERS, "status", "reason"),
    *("seconds", "seconds_low_99", "seconds_high_99"),
    *("gb_per_s", "gb_per_s_low_99", "gb_per_s_high_99", "installed_bytes"),
    *("processes", "processes_quiet", "process_spread", "sentinel_seconds"),
    *("log_sd", "degrees_of_freedom", "visits", "relative", "relative_sd", "relative_df"),
]
SQUARES = "squares", "relative_squares", "relative_free"  # for intervals.add
RUN = ["machine", "commit", "environment"]  # what one results file is of


def load(
    results: str | Path = RESULTS,
    runs: Collection[tuple[str, str, str]] | None = None,
    machines: Collection[str] | None = None,
) -> tuple[pandas.DataFrame, list[str]]:
    """The table, oldest commit first, and what was left out of it, in words, a line each.

    With `runs`, (machine, commit, environment) each, only theirs; with `machines`, their names,
    only theirs.
    UserError if asv's list of the benchmarks, benchmarks.json, is not there or not readable.
    """
    benchmarks = known_benchmarks(results)
    files = [(*found, benchmarks) for found in results_files(results)]
    known = {folder for folder, *_ in files}
    if runs is not None:
        wanted = {(run[0], Path(get_filename(*run)).name) for run in runs}
        files = [file for file in files if (file[2], file[1]) in wanted]
    if machines:
        files = [file for file in files if file[2] in machines]
    left_out = [f"{asv_files.LISTED}: {name}: {why}" for name, why in benchmarks[1].items()]
    files, twice = once(files)
    parts, left_out = [], left_out + twice
    for found, without in read_all(files):
        parts += found
        left_out += without
    for folder in sorted({path.parent for path in Path(results).glob("*/*-*.json")} - known):
        left_out.append(f"{folder.name}: machine.json is missing or broken")
    for folder in sorted(path for path in Path(results).iterdir() if path.is_dir()):
        if not os.access(folder, os.R_OK | os.X_OK):  # glob passes over it
            left_out.append(f"{folder.name}: this folder cannot be read")
    return tidy(parts), list(map(plain, left_out))


def once(files: list[File]) -> tuple[list[File], list[str]]:
    """`files` without those that another folder says to have of the same machine; and these."""
    ours = sorted(files, key=lambda file: file[0].name != file[2])
    folders = {(file[2], file[1]): file[0] for file in reversed(ours)}
    kept = [file for file in files if folders[file[2], file[1]] == file[0]]
    rest = [file for file in files if folders[file[2], file[1]] != file[0]]
    return kept, [f"{folder.name}/{name}: {there} has it, too" for folder, name, there, *_ in rest]


def tidy(parts: list[Part]) -> pandas.DataFrame:
    """One table of all parts, in the order of the module's docstring."""
    if not parts:
        parts = [{"status": numpy.empty(0, object)}]
    lengths = [len(found["status"]) for found in parts]
    table = pandas.DataFrame(
        {name: column(name, parts, lengths) for name in [*COLUMNS, *SQUARES]}, copy=False
    )
    for name in ("commit_date", "measured"):
        table[name] = pandas.to_datetime(table[name], unit="ms", utc=True)
    table = table.sort_values(["commit_date", *RUN], kind="stable", ignore_index=True)
    table = intervals.add(table)
    rates = {"": "", "_low_99": "_high_99", "_high_99": "_low_99"}
    for rate, seconds in rates.items():
        table[f"gb_per_s{rate}"] = table["nbytes"] / table[f"seconds{seconds}"] / 1e9
    for name in ("nbytes", "processes", "processes_quiet", "installed_bytes", "visits"):
        table[name] = table[name].astype("Int64")
    return table[COLUMNS]


def column(name: str, parts: list[Part], lengths: list[int]) -> Any:
    """One column of the table, from the arrays, or the one value, that each part has of it."""
    kind, nothing = (object, None) if name in TEXT else (float, numpy.nan)
    values = [found.get(name, nothing) for found in parts]
    if any(isinstance(value, numpy.ndarray) for value in values):
        filled = [
            value if isinstance(value, numpy.ndarray) else numpy.full(length, value, kind)
            for value, length in zip(values, lengths, strict=True)
        ]
        whole, lengths = numpy.concatenate(filled, dtype=kind, casting="unsafe"), [1]
    else:
        whole = numpy.array(values, kind)
    return (pandas.Categorical(whole) if name in TEXT else whole).repeat(lengths)
