"""The noise file beside each results file: how each process of each point was measured.

One line of JSON a point: its benchmark, version and parameters, and for each of its processes, in
the order of asv's samples, how many samples it has, how many of them (the first ones) are quiet,
and the seconds of the sentinel, which is how fast its core was. asv reads every .json in results/
as results of its own, so the name ends otherwise.
"""

import json
from pathlib import Path

SUFFIX = ".noise.jsonl"
COLUMNS = "samples", "quiet", "sentinel"  # a value a process


def path_beside(results_file):
    return Path(results_file).with_suffix(SUFFIX)


def load(path):
    """{(benchmark, *parameters): line} of the file at `path`; {} if there is none.

    ValueError if it is broken.
    """
    path = Path(path)
    points = {}
    for line in path.read_text().splitlines() if path.is_file() else []:
        try:
            point = json.loads(line)
            points[point["benchmark"], *point["parameters"]] = point
            processes = len(point["quiet"])
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"Error parsing the noise file '{path}': {line[:40]!r}") from None
        point.setdefault("samples", [25] * processes)  # these two are not in the first files
        point.setdefault("sentinel", [None] * processes)
    return points


def save(path, points):
    """Write what `load` reads, whole or not at all."""
    new = Path(f"{path}.new")
    try:
        new.write_text("".join(json.dumps(points[key]) + "\n" for key in sorted(points, key=str)))
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
