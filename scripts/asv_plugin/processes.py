"""One process of one point. It measures, in turn, all methods of the point: a visit.

asv asks for one method at a time. The process that is started for the first one notes the samples
of all (benchmarks/visit.py); those of the others are kept until asv asks for them.
"""

import json
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asv.runner
import numpy

from scripts.asv_plugin import in_short, results
from scripts.asv_plugin.replaced import replace
from scripts.asv_plugin.visits import places, visit
from scripts.recording.journal import Process
from scripts.recording.noise import Notes
from scripts.words.thresholds import QUIET

NOTE = "note: "  # how benchmarks/reasons.py begins a line for us
NOTED = "visit", "quiet", "sentinel"  # of a visit, beside its samples
SINGLY = "singly"  # the file that benchmarks/visit.py looks for
Told = tuple[Any, list[dict[str, Any]]]  # asv's result of a process, and its notes
measure_process = asv.runner._run_benchmark_single_param


def take_notes(result: Any) -> Told:
    """asv's result of one process without our notes in its output, and the notes."""
    lines = result.stderr.splitlines()
    rest = [line for line in lines if not line.startswith(NOTE)]
    noted = [json.loads(line.removeprefix(NOTE)) for line in lines if line.startswith(NOTE)]
    if len(rest) == 1 and rest[0].startswith("For parameters: "):
        rest = []
    return result._replace(stderr="\n".join(rest)), noted


def lower_level(folder: str, sentinel: float) -> bool:
    """Make `sentinel`, a process's, the quiet level in `folder` if that is clearly too high.

    setup_cache (benchmarks/quiet_core.py) takes the level in one moment, when no core may be quiet;
    a process's sentinel is the median of those of all its rounds. True if it is the level now.
    """
    path = Path(folder, "cache.pickle")  # where asv_runner keeps what setup_cache returned
    too_high = sentinel * QUIET < pickle.loads(path.read_bytes())
    if too_high:
        path.write_bytes(pickle.dumps(sentinel))
    return too_high


def of_series(noted: list[dict[str, Any]], name: str, most: int | None) -> Process:
    """What the visits that a process noted have of the series `name`: `most` samples at most."""
    told = [note["series"][name] for note in noted]
    for one in told:
        if "failed" in one:
            return {"columns": ([None], [None], [None]), "notes": [], "failed": one["failed"]}
        if "skipped" in one:
            return {"columns": ([math.nan], [None], [None]), "notes": [one]}
    samples = [seconds for one in told for seconds in one["seconds"]][:most]
    visits = [
        {"samples": len(one["seconds"]), **{fact: note[fact] for fact in NOTED}}
        for one, note in zip(told, noted, strict=True)
    ]
    return {"columns": ([True], [samples], [1]), "notes": visits}


def as_asv_has_it(process: Process, benchmark: dict[str, Any], index: int) -> Any:
    """asv's result of a process that need not be started any more."""
    failed = process.get("failed", "")
    if failed:
        values = numpy.unravel_index(index, list(map(len, benchmark["params"])))
        named = zip(benchmark["params"], values, strict=True)
        failed = f"For parameters: {', '.join(of[at] for of, at in named)}\n{failed}"
    errcode, columns = int(bool(failed)), process["columns"]
    return asv.runner.BenchmarkResult(*columns, errcode=errcode, stderr=failed, profile=None)


def of_points(
    result: Any, noted: list[dict[str, Any]], benchmark: dict[str, Any], asked: int
) -> dict[int, Process]:
    """{index: process} of the points that a process has measured, or found to be n/a or to fail.

    Of the point that was `asked` for it is asv's own result.
    """
    ours: Process = {"columns": (result.result, result.samples, result.number), "notes": []}
    if not noted:
        return {asked: ours}
    if "series" not in noted[0]:  # a cold start that is n/a
        ours["notes"] = noted
        return {asked: ours}
    ours["notes"] = of_series(noted, noted[0]["asked"], None)["notes"]
    found = {asked: ours}
    taken = result.samples[0]
    for name, index in places(benchmark, asked).items():
        if name in noted[0]["series"]:
            found.setdefault(index, of_series(noted, name, len(taken) if taken else None))
    return found


def singly(measure: Callable[[], Told], notes: Notes, visit: Any, folder: str) -> Told:
    """What `measure` returns; of a visit whose process dies, what is measured of the point alone.

    The other methods of that visit, later, are then measured alone at once.
    """
    if visit not in notes.died:
        result, noted = measure()
        if noted or not result.errcode:
            return result, noted
        said = result.stderr.strip().splitlines() or [f"exit code {result.errcode}"]
        notes.died[visit] = said[-1]
    alone = Path(folder, SINGLY)
    alone.touch()
    try:
        return measure()
    finally:
        alone.unlink()


@replace(
    asv.runner,
    "_run_benchmark_single_param",
    "nothing is known of the noise, an interrupt loses all that was measured, and each method is "
    "measured in a process of its own, minutes after the others",
)
def run_point(
    original: Callable[..., Any],
    benchmark: dict[str, Any],
    spawner: Any,
    param_idx: int,
    extra_params: dict[str, Any],
    **kwargs: Any,
) -> Any:
    """One process of one point, or what it need not be started for: what the process of another
    method has noted, or an unfinished run has kept."""

    def measure() -> Told:
        taken = original(benchmark, spawner, param_idx, extra_params=extra_params, **kwargs)
        return take_notes(taken)

    recorded, name, where = results.current(), benchmark["name"], visit(benchmark, param_idx)
    if recorded is None:  # `asv profile` keeps nothing
        return measure()[0]
    recorded.begin(spawner.env)
    notes, journal = recorded.notes, recorded.journal
    options = benchmark["version"], json.dumps(extra_params, sort_keys=True)
    number, process = journal.next_process(name, param_idx, *options)
    if process:
        result = as_asv_has_it(process, benchmark, param_idx)
    else:
        if hasattr(spawner, "fit_for"):
            spawner.fit_for(where)
        if places(benchmark, param_idx):
            result, noted = singly(measure, notes, (*where, number), kwargs["cwd"])
        else:
            result, noted = measure()
        found = of_points(result, noted, benchmark, param_idx)
        journal.add({(name, index, *options): one for index, one in found.items()}, number)
        process = found[param_idx]
        for note in noted:
            if "sentinel" in note and lower_level(kwargs["cwd"], note["sentinel"]):
                notes.judge(note["sentinel"])
    notes.add((name, param_idx), result.result[0], result.samples[0], process["notes"])
    in_short.progress.step(benchmark, param_idx)
    return result
