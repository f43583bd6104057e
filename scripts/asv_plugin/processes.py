"""One process of one point."""

import json
import pickle
from pathlib import Path
from typing import Any

import asv.runner
from asv import util
from asv.console import log

from scripts.asv_plugin import results
from scripts.asv_plugin.replaced import replace
from scripts.words.thresholds import QUIET

NOTE = "note: "  # how benchmarks/measure.py begins a line for us
measure_process = asv.runner._run_benchmark_single_param


def take_notes(result: Any) -> tuple[Any, list[dict[str, Any]]]:
    """asv's result of one process without our notes in its output, and the notes."""
    lines = result.stderr.splitlines()
    rest = [line for line in lines if not line.startswith(NOTE)]
    noted = [json.loads(line.removeprefix(NOTE)) for line in lines if line.startswith(NOTE)]
    if len(rest) == 1 and rest[0].startswith("For parameters: "):
        rest = []
    return result._replace(stderr="\n".join(rest)), noted


def lower_level(folder: str, sentinel: float) -> bool:
    """Make `sentinel`, a process's, the quiet level in `folder` if that is clearly too high.

    setup_cache (benchmarks/measure.py) takes the level in one moment, when no core may be quiet;
    a process's sentinel is the median of those around 25 samples. True if it is the level now.
    """
    path = Path(folder, "cache.pickle")  # where asv_runner keeps what setup_cache returned
    too_high = sentinel * QUIET < pickle.loads(path.read_bytes())
    if too_high:
        path.write_bytes(pickle.dumps(sentinel))
    return too_high


@replace(
    asv.runner,
    "_run_benchmark_single_param",
    "nothing is known of the noise, and an interrupt loses all that was measured",
)
def run_point(original, benchmark, spawner, param_idx, extra_params, **kwargs):
    """One process of one point, or what an unfinished run has kept of it."""
    recorded, point = results.current(), (benchmark["name"], param_idx)
    if recorded is None:  # `asv profile` keeps nothing
        taken = original(benchmark, spawner, param_idx, extra_params=extra_params, **kwargs)
        return take_notes(taken)[0]
    recorded.begin(spawner.env)
    notes, journal = recorded.notes, recorded.journal
    key = kept = None
    if journal:
        options = json.dumps(extra_params, sort_keys=True)
        key, kept = journal.next_process(*point, benchmark["version"], options)
    if kept:
        columns, noted = kept["columns"], kept["notes"]
        result = asv.runner.BenchmarkResult(*columns, errcode=0, stderr="", profile=None)
    else:
        if hasattr(spawner, "fit_for"):
            spawner.fit_for(point)
        taken = original(benchmark, spawner, param_idx, extra_params=extra_params, **kwargs)
        result, noted = take_notes(taken)
        if journal and not util.is_na(result.result[0]):
            columns = result.result, result.samples, result.number
            journal.add(key, {"columns": columns, "notes": noted})
        for note in noted:
            if "sentinel" in note and lower_level(kwargs["cwd"], note["sentinel"]):
                notes.judge(note["sentinel"])
    notes.add(point, result.result[0], result.samples[0], noted)
    log.dot()
    return result
