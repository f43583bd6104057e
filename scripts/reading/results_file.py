"""What one of asv's results files holds, as columns: the parts of the table of points.py."""

import ast
import contextlib
import gc
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy
from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.results import Results, iter_results_paths
from asv.util import UserError

from scripts.reading import intervals
from scripts.recording import noise
from scripts.words.vocabulary import operation

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = "method", "memory", "dtype", "nbytes", "wait"
UNITS = {"seconds": "seconds", "bytes": "installed_bytes"}
MANY = 100  # results files from which on several processes read them
BROKEN = UserError, OSError, ValueError, TypeError, KeyError, AttributeError, SyntaxError


def read_all(files):
    """What `read` gives of each of `files`; many are shared out over the processors."""
    if len(files) < MANY:
        return map(read, files)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(mp_context=context, initializer=gc.disable) as processes:
        return list(processes.map(read, files, chunksize=10))


def results_files(results):
    """(folder, name, machine) of each of asv's results files; none of a machine that is broken."""
    for folder in sorted(Path(results).glob("*/")):
        with contextlib.suppress(*BROKEN):  # asv knows some ways to be broken, and skips those
            yield from iter_results_paths(str(folder))


def reason(error, folder):
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
        raise UserError(f"benchmarks.json: {reason(error, results)}") from None


def read(file):
    """The parts of the table that one results file makes, and what was left out of it."""
    folder, name, machine, benchmarks, spread = file
    path, left_out = Path(folder, name), []
    try:
        result = Results.load(str(path), machine_name=machine)
    except BROKEN as error:
        return [], [f"{machine}/{name}: {reason(error, folder)}"]
    try:
        noted = noise.load(noise.path_beside(path)) if spread else {}
    except ValueError:
        noted = {}
        left_out.append(f"{machine}/{name}: its noise file is broken, so its noise")
    usable = result.get_result_keys(benchmarks)
    for benchmark in sorted(set(result.get_all_result_keys()) - usable):
        why = "an older version" if benchmark in benchmarks else "no such benchmark any more"
        left_out.append(f"{machine}/{name}: {benchmark}: {why}")
    parts = []
    for benchmark in sorted(usable):
        try:
            parts.append(part(result, benchmarks[benchmark], noted))
        except BROKEN as error:
            left_out.append(f"{machine}/{name}: {benchmark}: {reason(error, folder)}")
    return parts, left_out


def part(result, benchmark, noted):
    """The columns of one benchmark's points in one results file; one value where all are equal."""
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
        "operation": operation(name),
    }
    return {
        **facts,
        **columns,
        "status": status,
        UNITS[unit]: values,
        **intervals.between_processes(samples or [], lines, status == "ok"),
    }
