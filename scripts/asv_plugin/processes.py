"""One process of one point. It measures, in turn, all methods of the point: a visit.

asv asks for one method at a time. The process that is started for the first one notes the samples
of all (benchmarks/visit.py); those of the others are kept until asv asks for them.
"""

import functools
import json
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asv.runner
from asv import util

from scripts.asv_plugin import in_short, results
from scripts.asv_plugin.replaced import replace
from scripts.asv_plugin.servers import Server
from scripts.asv_plugin.visits import places, visit
from scripts.recording.journal import Process
from scripts.recording.noise import Notes
from scripts.words.thresholds import QUIET

NOTE = "note: "  # how benchmarks/reasons.py begins a line for us
NOTED = "visit", "quiet", "sentinel"  # of a visit, beside its samples
SINGLY = "singly"  # the file that benchmarks/visit.py looks for
FAILED: Any = ([None], [None], [None])
Ended = tuple[str, int, list[dict[str, Any]]]  # what a process said, its exit code, its notes


def take_notes(said: str) -> tuple[str, list[dict[str, Any]]]:
    """What a process said without our notes in it, and the notes."""
    lines = said.splitlines()
    noted = [json.loads(line.removeprefix(NOTE)) for line in lines if line.startswith(NOTE)]
    return "\n".join(line for line in lines if not line.startswith(NOTE)), noted


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
            return {"columns": FAILED, "notes": [], "failed": one["failed"]}
        if "skipped" in one:
            return {"columns": ([math.nan], [None], [None]), "notes": [one]}
    samples = [seconds for one in told for seconds in one["seconds"]][:most]
    visits = [
        {"samples": len(one["seconds"]), **{fact: note[fact] for fact in NOTED}}
        for one, note in zip(told, noted, strict=True)
    ]
    return {"columns": ([True], [samples], [1]), "notes": visits}


def read(path: Path) -> Any:
    """asv's columns of what a process wrote into `path`; of a failure if that is no JSON."""
    try:
        told = json.loads(path.read_text())
    except ValueError:
        return FAILED
    if isinstance(told, dict) and {"samples", "number"} <= told.keys():
        return [True], [told["samples"]], [told["number"]]
    return [told], [None], [None]


def write(path: Path, process: Process) -> tuple[str, int]:
    """Into `path` what a process would write that need not be started any more; what it would say,
    and its exit code."""
    if "failed" in process:
        return process["failed"], 1
    (value,), (samples,), (number,) = process["columns"]
    told = value if samples is None else {"samples": samples, "number": number}
    path.write_text(json.dumps(told))
    return "", 0


def of_points(
    columns: Any, noted: list[dict[str, Any]], benchmark: dict[str, Any], asked: int
) -> dict[int, Process]:
    """{index: process} of the points that a process has measured, or found to be n/a or to fail.

    Of the point that was `asked` for it is `columns`.
    """
    ours: Process = {"columns": columns, "notes": []}
    if not noted:
        return {asked: ours}
    if "series" not in noted[0]:  # a cold start that is n/a
        ours["notes"] = noted
        return {asked: ours}
    ours["notes"] = of_series(noted, noted[0]["asked"], None)["notes"]
    found = {asked: ours}
    taken = columns[1][0]
    for name, index in places(benchmark, asked).items():
        if name in noted[0]["series"]:
            found.setdefault(index, of_series(noted, name, len(taken) if taken else None))
    return found


def singly(measure: Callable[[], Ended], notes: Notes, visit: Any, folder: str) -> Ended:
    """What `measure` returns; of a visit whose process dies, what is measured of the point alone.

    The other methods of that visit, later, are then measured alone at once.
    """
    if visit not in notes.died:
        said, code, noted = measure()
        if noted or not code:
            return said, code, noted
        notes.died[visit] = reason(said, code)
    alone = Path(folder, SINGLY)
    alone.touch()
    try:
        return measure()
    finally:
        alone.unlink()


def reason(said: str, code: int) -> str:
    """Why a process died that said this last."""
    if code == util.TIMEOUT_RETCODE:
        return "timed out"
    return (said.strip().splitlines() or [f"exit code {code}"])[-1]


def measured(
    run: Callable[..., tuple[str, int]],
    spawner: Any,
    *,
    name: str,
    params_str: str,
    result_file_name: str,
    cwd: str,
    **kwargs: Any,
) -> tuple[str, int]:
    """As asv's Spawner.run, with `run` its own: one process of one point, or what it need not be
    started for, as another method's process has noted it, or an unfinished run has kept it."""
    path = Path(result_file_name)

    def measure() -> Ended:
        words = {"params_str": params_str, "result_file_name": result_file_name, "cwd": cwd}
        said, code = run(name=name, **words, **kwargs)
        said, noted = take_notes(said)
        return said, code, noted

    recorded = results.current()
    if recorded is None:  # `asv profile` keeps nothing
        return measure()[:2]
    recorded.begin(spawner.env)
    notes, journal = recorded.notes, recorded.journal
    of, _, index = name.partition("-")
    benchmark, param_idx = recorded.benchmarks[of], int(index or 0)
    options = benchmark["version"], json.dumps(json.loads(params_str), sort_keys=True)
    number, process = journal.next_process(of, param_idx, *options)
    if process:
        said, code = write(path, process)
    else:
        where = visit(benchmark, param_idx)
        if isinstance(spawner, Server):
            spawner.fit_for(where)
        if places(benchmark, param_idx):
            said, code, noted = singly(measure, notes, (*where, *options, number), cwd)
        else:
            said, code, noted = measure()
        found = of_points(FAILED if code else read(path), noted, benchmark, param_idx)
        journal.add({(of, index, *options): one for index, one in found.items()}, number)
        process = found[param_idx]
        for note in noted:
            if "sentinel" in note and lower_level(cwd, note["sentinel"]):
                notes.judge(note["sentinel"])
    notes.add((of, param_idx), process["columns"][0][0], process["columns"][1][0], process["notes"])
    in_short.progress.step(benchmark, param_idx)
    return said, code


@replace(
    asv.runner,
    "get_spawner",
    "nothing is known of the noise, an interrupt loses all that was measured, each method is "
    "measured in a process of its own, minutes after the others, and all processes of a point have "
    "their memory's layout in common",
)
def get_spawner(
    original: Callable[..., Any], env: Any, benchmark_dir: str, launch_method: str | None
) -> Any:
    spawner: Any
    if launch_method == "forkserver":
        spawner = Server(env, benchmark_dir)
    else:
        spawner = original(env, benchmark_dir, launch_method=launch_method)
    spawner.run = functools.partial(measured, spawner.run, spawner)
    return spawner
