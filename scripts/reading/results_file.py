"""What one of asv's results files holds, as columns: the parts of the table of points.py."""

import ast
import contextlib
import functools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy
from asv.results import get_filename
from asv.util import UserError

from scripts.reading import asv_files, intervals, processes, ratios
from scripts.reading.asv_schema import Benchmark, Machine, Result, Row, row_of
from scripts.recording import noise
from scripts.setup import processors
from scripts.words.formats import count
from scripts.words.vocabulary import IN_TURN, MEMORY, operation

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = "method", "way", "memory", "dtype", "nbytes", "wait"
# The columns of asv's units, and what lies outside of any measurement: no logarithm, and no ratio
# of two, is then too large for whoever computes with it (asv's detection of steps never ended).
UNITS = {"seconds": ("seconds", 1e-10, 1e6), "bytes": ("installed_bytes", 1, 1e15)}
Benchmarks = tuple[dict[str, Benchmark], dict[str, str]]  # as asv_files.benchmarks has them
File = tuple[Path, str, str, Benchmarks]  # folder, name, machine
Part = dict[str, Any]  # a column's values, or the one that all have
OLDER = "an older version"  # why a benchmark of a result is left out


def read_all(files: list[File]) -> Iterable[tuple[list[Part], list[str]]]:
    """What `read` gives of each of `files`; many are shared out over the processors."""
    if len(files) < processors.MANY:
        return map(read, files)
    return processors.each(read, files, chunk=10)


def results_files(results: str | Path) -> Iterator[tuple[Path, str, str]]:
    """(folder, name, machine) of each of asv's results files; none of a machine that is broken."""
    for path in sorted(Path(results).glob("*/machine.json")):
        with contextlib.suppress(UserError, OSError):
            machine = asv_files.read(path, Machine).machine
            names = sorted(one.name for one in path.parent.glob("*.json"))
            yield from ((path.parent, name, machine) for name in names if name != path.name)


def reason(error: Exception, folder: str | Path) -> str:
    """One line of what went wrong, without the folders of this machine."""
    text, folder = str(error), Path(folder)
    if folder.name:  # else it is the dot, and one is in every name
        text = text.replace(str(folder.absolute()), folder.name).replace(str(folder), folder.name)
    return text.splitlines()[0] if text else type(error).__name__


def known_benchmarks(results: str | Path) -> Benchmarks:
    """asv's list of the benchmarks in the folder `results`, as asv_files.benchmarks has it.

    UserError if there is none.
    """
    try:
        return asv_files.benchmarks(Path(results, asv_files.LISTED))
    except (UserError, OSError) as error:
        raise UserError(f"{asv_files.LISTED}: {reason(error, results)}") from None


def read(file: File) -> tuple[list[Part], list[str]]:
    """The parts of the table that one results file makes, and what was left out of it."""
    folder, name, machine, benchmarks = file
    path, left_out, parts = Path(folder, name), [], []
    try:
        result = asv_files.read(path, Result)
        check_name(result, name, machine)
    except (UserError, OSError) as error:
        return [], [f"{machine}/{name}: {reason(error, folder)}"]
    try:
        noted = noise.load(noise.path_beside(path))
    except (ValueError, OSError):
        noted = {}
        left_out.append("its noise file is broken, so its noise")
    known, broken = benchmarks
    for benchmark in sorted(set(result.results) - set(broken)):
        try:
            row = row_of(result, benchmark)
            if benchmark not in known:
                raise ValueError("no such benchmark any more")
            if row.version not in (None, known[benchmark].version):
                raise ValueError(OLDER)
            columns, said = part(result, row, known[benchmark], noted)
            parts.append(columns)
            left_out += [f"{benchmark}: {line}" for line in said]
        except (ValueError, SyntaxError) as error:
            left_out.append(f"{benchmark}: {reason(error, folder)}")
    return parts, [f"{machine}/{name}: {line}" for line in left_out]


def check_name(result: Result, name: str, machine: str) -> None:
    """UserError unless a results file is called as the result in it: no other file is it, too."""
    if result.machine.machine != machine:
        raise UserError(f"its machine is not {machine}")
    if name != Path(get_filename("", result.commit_hash, result.env_name)).name:
        raise UserError("it has the name of another result")


def part(
    result: Result, row: Row, benchmark: Benchmark, noted: Mapping[Any, dict[str, Any]]
) -> tuple[Part, list[str]]:
    """The columns of one benchmark's points in one results file, and what was left out, in words.

    One value where all are equal. ValueError if it is of another kind than ours.
    """
    name, names = benchmark.name, benchmark.param_names
    known = len(row.params) == len(names) and set(names) <= set(PARAMETERS)
    if not known or benchmark.unit not in UNITS:
        raise ValueError(f"unknown parameters or unit: {', '.join(names)}; {benchmark.unit}")
    columns = grid((*names,), (*map(tuple, row.params),))
    column, least, most = UNITS[benchmark.unit]
    values = numpy.array(row.result, float)  # None is NaN, too
    status = numpy.where(numpy.isnan(values), "n/a", "ok").astype(object)
    absurd = (values < least) | (values > most)
    status[[value is None for value in row.result or []] | absurd] = "failed"
    values[status != "ok"] = numpy.nan
    points = [(name, *point) for point in zip(*columns.values(), strict=True)]
    lines = [noted.get(point) for point in points]
    taken, noise_of, spoiled = processes.parted(row.samples or [], lines, status == "ok")
    axis = names.index(IN_TURN[name]) if IN_TURN.get(name) in names else None
    noise_of |= intervals.columns(taken, len(lines))
    noise_of |= ratios.columns(taken, [*map(len, row.params)], axis)
    said = []
    if absurd.any():
        said.append(f"{count(absurd.sum(), 'result', 'results')} that no measurement gives")
    if spoiled:
        said.append(f"the noise of {count(spoiled, 'point', 'points')}: its samples are none")
    machine = result.machine
    facts = {
        "machine": machine.machine,
        "gpu": machine.gpu,
        "pcie_link": machine.link,
        "commit": result.commit_hash,
        "commit_date": result.date,
        "python": str(machine.python),
        "environment": result.env_name,
        "measured": row.started_at,
        "benchmark": name,
        "version": benchmark.version,
        "operation": operation(name),
    }
    why = numpy.array([line and line.get("skipped") for line in lines], object)
    why[status != "n/a"] = None
    found = {"status": status, "reason": why, column: values}
    return {**facts, **columns, **found, **noise_of}, said


@functools.cache
def grid(names: tuple[str, ...], texts: tuple[tuple[str, ...], ...]) -> dict[str, numpy.ndarray]:
    """The parameters `names` of all points, whose values are the `texts`."""
    axes = [numpy.array(axis_of(*one), object) for one in zip(names, texts, strict=True)]
    found = numpy.meshgrid(*axes, indexing="ij")
    return {name: values.ravel() for name, values in zip(names, found, strict=True)}


def axis_of(name: str, texts: Iterable[str]) -> list[Any]:
    """The values of a parameter; ValueError if they are not of its kind."""
    values = [ast.literal_eval(text) for text in texts]
    for value in values:
        known = type(value) is (int if name == "nbytes" else str) and value not in (0, "")
        if not known or (name == "memory" and value not in MEMORY):
            raise ValueError(f"no {name}")
    return values
