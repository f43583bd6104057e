"""Results of more machines and commits than were measured, derived from the recorded ones.

Each is a copy of a real results file, with the noise beside it, under another name, commit and
date, its seconds times a factor: for tests of what happens with several, not to be shown as real.
"""

import json
import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIKE = "reference.Link.time_link"  # any benchmark that is timed
MACHINE = "nvidia-h200"
RECORDED = HERE / "recorded" / "version-1"
VERSION_1 = RECORDED / MACHINE / "0d3bb95a-existing-py3.12"
IN_TURN = HERE.parent / "results" / "nvidia-h100-80gb-hbm3" / "480cd8d3-existing-py3.12"


def recorded(results, machine=MACHINE, of=VERSION_1):
    """The folder `results` with the list of benchmarks and one machine, which has no results."""
    folder = Path(results, machine.replace("/", "_"))
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(of.parent.parent / "benchmarks.json", results)
    about = json.loads((of.parent / "machine.json").read_text())
    (folder / "machine.json").write_text(json.dumps({**about, "machine": machine}))
    return folder


def result(
    results, machine, commit, date, slower=lambda benchmark, point: 1.0, facts=None, of=VERSION_1
):
    """A result of `machine` at `commit` (40 hexadecimal digits), `date` in milliseconds.

    It is made of the recorded one `of`. `slower` gives the factor of a point's seconds, from the
    benchmark's name and the index of the point; None makes it failed, NaN n/a. `facts` is its
    provenance. Returns the file's path.
    """
    folder = recorded(results, machine, of)
    about = json.loads(Path(f"{of}.json").read_text())
    about |= {"commit_hash": commit, "date": date}
    about["params"]["machine"] = machine
    columns = about["result_columns"]
    for name, values in about["results"].items():
        seconds, samples = (columns.index(column) for column in ("result", "samples"))
        for point, value in enumerate(values[seconds]):
            if len(values) <= samples or not values[samples] or value is None:
                continue  # no time, or none that was measured
            factor = slower(name, point)
            if factor is None or factor != factor:
                values[seconds][point], values[samples][point] = factor, None
            else:
                values[seconds][point] = value * factor
                values[samples][point] = [sample * factor for sample in values[samples][point]]
    path = folder / f"{commit[:8]}-existing-py3.12.json"
    path.write_text(json.dumps(about))
    shutil.copy(f"{of}.noise.jsonl", path.with_suffix(".noise.jsonl"))
    if facts:
        line = {"started": date, "ended": date + 1, "processes": 1208, "facts": facts}
        path.with_suffix(".provenance.jsonl").write_text(json.dumps(line) + "\n")
    return path


def add_benchmark(path, name, unit, values):
    """Add the benchmark `name`, with {parameters: value}, to a result and to asv's list of them."""
    names = ["method", "nbytes"][: len(next(iter(values)))]
    axes = [[repr(one) for one in dict.fromkeys(axis)] for axis in zip(*values, strict=True)]
    listed = path.parent.parent / "benchmarks.json"
    benchmarks = json.loads(listed.read_text())
    about = {"name": name, "version": "1", "unit": unit, "params": axes, "param_names": names}
    benchmarks[name] = {**benchmarks[LIKE], **about}
    listed.write_text(json.dumps(benchmarks))
    data = json.loads(path.read_text())
    data["results"][name] = [list(values.values()), axes, "1"]
    path.write_text(json.dumps(data))
