"""All recorded results as one tidy table: one row a point, operation, commit and machine.

.venv/bin/python scripts/points.py --csv points.csv --parquet points.parquet

What the columns hold (units are in their names):

machine, gpu, pcie_link     the machine as asv knows it, its GPU and link as far as it can go
commit, commit_date         the stack's commit, and when it was made (UTC)
python, environment         the Python measured with, and asv's name of the environment
measured                    when asv started the benchmark (UTC)
benchmark, version          asv's name, such as reference.Link.time_link, and its version
operation                   the name's last word: new_array, existing_array, link, copy, pin, ...
method, memory, dtype, nbytes, wait     the parameters; empty where the benchmark has no such one
status                      ok; n/a: a library, driver, device or memory was not there, or the point
                            was not asked for; failed: anything else. Only ok has numbers
seconds                     of one call: the median over all samples
seconds_low_99, seconds_high_99         intervals.py says how it comes about
gb_per_s, gb_per_s_low_99, gb_per_s_high_99     nbytes / seconds / 1e9; low has the high seconds
installed_bytes             what a method's installation takes (cold_start alone)
processes, processes_quiet  how many fresh processes measured it, and how many of them had a quiet
                            core all the time; 0 where no noise was recorded
process_spread              slowest process's median over the fastest's, minus 1
sentinel_seconds            the sentinel, median over the processes
log_sd, degrees_of_freedom  between processes, of the logarithm of the seconds, pooled by kind
"""

import argparse
import ast
import sys
from pathlib import Path

import intervals
import noise
import numpy
import pandas
from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.results import Results, iter_results_paths
from asv.util import UserError

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results"
EXISTING = "host_to_device.HostToDevice.time_existing_array"
PARAMETERS = "method", "memory", "dtype", "nbytes", "wait"
UNITS = {"seconds": "seconds", "bytes": "installed_bytes"}
TEXT = [
    *("machine", "gpu", "pcie_link", "commit", "python", "environment", "benchmark", "version"),
    *("operation", "method", "memory", "dtype", "wait", "status"),
]
COLUMNS = [
    *("machine", "gpu", "pcie_link", "commit", "commit_date", "python", "environment", "measured"),
    *("benchmark", "version", "operation", *PARAMETERS, "status"),
    *("seconds", "seconds_low_99", "seconds_high_99"),
    *("gb_per_s", "gb_per_s_low_99", "gb_per_s_high_99", "installed_bytes"),
    *("processes", "processes_quiet", "process_spread", "sentinel_seconds"),
    *("log_sd", "degrees_of_freedom"),
]
RUN = ["machine", "commit", "environment"]  # what one results file is of
BROKEN = UserError, OSError, ValueError, TypeError, KeyError, AttributeError, SyntaxError


def load(results=RESULTS):
    """The table, oldest commit first, and what was left out of it, in words, a line each.

    UserError if asv's list of the benchmarks, benchmarks.json, is not there or not readable.
    """
    benchmarks = known_benchmarks(results)
    parts, left_out, folders = [], [], set()
    for folder, name, machine in iter_results_paths(str(results)):
        folders.add(Path(folder))
        try:
            found, without = read(Path(folder, name), machine, benchmarks)
        except BROKEN as error:
            left_out.append(f"{machine}/{name}: {reason(error, folder)}")
            continue
        parts += found
        left_out += without
    for path in Path(results).glob("*/*.json"):
        if path.name != "machine.json" and path.parent not in folders:
            folders.add(path.parent)
            left_out.append(f"{path.parent.name}: machine.json is missing or broken")
    return tidy(parts), left_out


def reason(error, folder=""):
    """One line of what went wrong, without the folders of this machine."""
    text = f"missing {error}" if isinstance(error, KeyError) else str(error)
    text = text.replace(str(Path(folder).absolute()), Path(folder).name)
    return text.splitlines()[0] if text else type(error).__name__


def known_benchmarks(results):
    conf = Config.load(str(ROOT / "asv.conf.json"))
    conf.results_dir = str(results)
    try:
        return Benchmarks.load(conf)
    except BROKEN as error:
        raise UserError(f"benchmarks.json: {reason(error)}") from None


def read(path, machine, benchmarks):
    """The parts of the table that one results file makes, a dictionary of columns each."""
    result = Results.load(str(path), machine_name=machine)
    left_out = []
    try:
        noted = noise.load(noise.path_beside(path))
    except ValueError:
        noted = {}
        left_out.append(f"{machine}/{path.name}: its noise file is broken, so its noise")
    usable = result.get_result_keys(benchmarks)
    for name in sorted(set(result.get_all_result_keys()) - usable):
        why = "an older version" if name in benchmarks else "no such benchmark any more"
        left_out.append(f"{machine}/{path.name}: {name}: {why}")
    parts = []
    for name in sorted(usable):
        try:
            parts.append(part(result, benchmarks[name], noted))
        except BROKEN as error:
            left_out.append(f"{machine}/{path.name}: {name}: {reason(error)}")
    return parts, left_out


def part(result, benchmark, noted):
    """The columns of one benchmark's points in one results file."""
    name, unit = benchmark["name"], benchmark["unit"]
    names, axes = benchmark["param_names"], result.get_result_params(benchmark["name"])
    if len(axes) != len(names) or not set(names) <= set(PARAMETERS) or unit not in UNITS:
        raise ValueError(f"unknown parameters or unit: {', '.join(names)}; {unit}")
    axes = [[ast.literal_eval(value) for value in axis] for axis in axes]
    grid = numpy.meshgrid(*[numpy.array(axis, object) for axis in axes], indexing="ij")
    columns = {axis: values.ravel() for axis, values in zip(names, grid, strict=True)}
    given = result.get_result_value(name, result.get_result_params(name))
    values = numpy.array([numpy.nan if value is None else value for value in given], float)
    status = numpy.where(numpy.isnan(values), "n/a", "ok").astype(object)
    status[[value is None or value <= 0 or value == numpy.inf for value in given]] = "failed"
    values[status != "ok"] = numpy.nan
    samples = result.get_result_samples(name, result.get_result_params(name))
    points = [(name, *point) for point in zip(*columns.values(), strict=True)]
    lines = [noted.get(point) for point in points]
    facts = {
        "machine": result.params.get("machine"),
        "gpu": result.params.get("gpu"),
        "pcie_link": result.params.get("link"),
        "commit": result.commit_hash,
        "commit_date": result.date,
        "python": str(result.params.get("python")),
        "environment": result.env_name,
        "measured": (result.started_at or {}).get(name),
        "benchmark": name,
        "version": benchmark["version"],
        "operation": name.rsplit(".", 1)[1].removeprefix("time_").removeprefix("track_"),
    }
    return {
        **{column: numpy.full(len(values), value, object) for column, value in facts.items()},
        **columns,
        "status": status,
        UNITS[unit]: values,
        **intervals.between_processes(samples or [], lines, status == "ok"),
    }


def tidy(parts):
    """One table of all parts, in the order of the module's docstring."""
    if not parts:
        parts = [{}]
    columns = {}
    for name in [*COLUMNS, "squares"]:
        filler = None if name in TEXT else numpy.nan
        arrays = [
            found[name] if name in found else numpy.full(len(found.get("status", ())), filler)
            for found in parts
        ]
        columns[name] = numpy.concatenate(arrays).astype(object if name in TEXT else float)
    table = pandas.DataFrame(columns)
    for name in TEXT:
        table[name] = table[name].astype("category")
    for name in ("commit_date", "measured"):
        table[name] = pandas.to_datetime(table[name], unit="ms", utc=True)
    table = table.sort_values(["commit_date", *RUN], kind="stable", ignore_index=True)
    table = intervals.add(table)
    rates = {"": "", "_low_99": "_high_99", "_high_99": "_low_99"}
    for rate, seconds in rates.items():
        table[f"gb_per_s{rate}"] = table["nbytes"] / table[f"seconds{seconds}"] / 1e9
    for name in ("nbytes", "processes", "processes_quiet", "installed_bytes"):
        table[name] = table[name].astype("Int64")
    return table[COLUMNS]


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--csv", metavar="FILE")
    parser.add_argument("--parquet", metavar="FILE")
    options = parser.parse_args(words)
    if not (options.csv or options.parquet):
        parser.error("where to? --csv FILE, --parquet FILE or both")
    try:
        table, left_out = load()
        for line in left_out:
            print(f"Left out: {line}", file=sys.stderr)
        if options.csv:
            table.to_csv(options.csv, index=False)
        if options.parquet:
            table.to_parquet(options.parquet, index=False)
    except (UserError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
