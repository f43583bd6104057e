"""Results made from stated truths, by the model that version 2 stands on; nothing was measured.

A visit measures all methods of a point, round by round. All of them share what the host drifts by
from visit to visit, and from round to round; each has a part of its own in each visit. All of that
is normal, in logarithms. So what a reader should find is known.
"""

import itertools
import json

import numpy

from scripts.words.vocabulary import TRANSFERS
from tests import derived

MACHINE = "stated"
METHODS = ["cuda-python", "torch", "cupy", "pycuda"]
MEMORY = ["pageable", "pinned"]
SIZES = [1024 * 8**step for step in range(7)]
DAY = 86_400_000
COMMITS = [f"{number:08x}" * 5 for number in range(0xC0FFEE00, 0xC0FFEE00 + 12)]
ROUNDS = 25
# Standard deviations: of a visit, of a method's own part in it, of a round and of a sample.
DRIFT, OWN, ROUND = 0.1, 0.005, 0.01
VISIT = numpy.hypot(OWN, 1.09 * ROUND / ROUNDS**0.5)  # of a method's ratio in a visit


def seconds(nbytes):
    return 1e-5 + nbytes / 5e10


def result(
    results,
    factor=lambda point: 1.0,
    commit=COMMITS[0],
    number=0,
    visits=2,
    dtypes=("float32",),
    machine=MACHINE,
    seed=None,
    drift=DRIFT,
    own=OWN,
    link=1.0,
    facts=None,
):
    """A result of `visits` visits a point, at the `number`-th commit; its file.

    `factor` gives how many times `seconds` a point takes, from (operation, method, memory, dtype,
    nbytes); None where it is n/a. `link` is the same of the link.
    """
    random = numpy.random.default_rng([number, len(dtypes)] if seed is None else seed)
    folder = derived.recorded(results, machine)
    listed = json.loads((folder.parent / "benchmarks.json").read_text())
    axes = METHODS, MEMORY, list(dtypes), SIZES
    measured, noted = {}, []

    def add(name, params, each):
        """`each` has, of all points, the seconds, {visit: samples}; None for n/a."""
        version = listed[name]["version"]
        samples = [found and [one for taken in found.values() for one in taken] for found in each]
        medians = [taken and float(numpy.median(taken)) for taken in samples]
        texts = [list(map(repr, axis)) for axis in params]
        values = [value or float("nan") for value in medians]
        measured[name] = [values, texts, version, 1_790_000_000_000, 1.0, samples]
        for point, found in zip(itertools.product(*params), each, strict=True):
            if found:
                line = {"benchmark": name, "version": version, "parameters": point}
                same = {"samples": [ROUNDS], "quiet": [ROUNDS], "sentinel": [5e-5]}
                line |= {key: value * len(found) for key, value in same.items()}
                noted.append(line | {"visit": list(found)})

    for operation, does in TRANSFERS.items():
        places = [*itertools.product(*axes[1:])]
        shape = len(METHODS), len(places), visits, ROUNDS
        logs = random.normal(0, drift, shape[1:3])[None, :, :, None]
        logs = logs + random.normal(0, own, shape[:3])[..., None]
        logs = logs + random.normal(0, ROUND, shape[1:])[None] + random.normal(0, ROUND, shape)
        each = []
        for method, (place, point) in itertools.product(range(len(METHODS)), enumerate(places)):
            times = factor((operation, METHODS[method], *point))
            taken = times and seconds(point[2]) * times * numpy.exp(logs[method, place])
            ids = [f"{operation} {place} {visit}" for visit in range(visits)]
            each.append(times and dict(zip(ids, taken.tolist(), strict=True)))
        add(does.benchmark, axes, each)
    drifted = numpy.exp(random.normal(0, 0.01, (len(SIZES), visits, ROUNDS)))
    each = [
        {f"link {nbytes} {visit}": (taken * link * nbytes / 5e10).tolist()}
        for nbytes, of_visits in zip(SIZES, drifted, strict=True)
        for visit, taken in [(0, of_visits[0])]
    ]
    add(derived.LIKE, (SIZES,), each)
    about = json.loads((folder / "machine.json").read_text())
    about = {name: value for name, value in about.items() if name != "version"}
    data = {
        "commit_hash": commit,
        "env_name": "existing-py3.12",
        "date": DAY * (number + 1),
        "params": about,
        "python": "3.12",
        "requirements": {},
        "env_vars": {},
        "result_columns": ["result", "params", "version", "started_at", "duration", "samples"],
        "results": measured,
        "durations": {},
        "version": 2,
    }
    path = folder / f"{commit[:8]}-existing-py3.12.json"
    path.write_text(json.dumps(data))
    lines = "".join(f"{json.dumps(line)}\n" for line in noted)
    path.with_suffix(".noise.jsonl").write_text(lines)
    if facts:
        line = {"started": 1, "ended": 2, "processes": 1, "facts": facts}
        path.with_suffix(".provenance.jsonl").write_text(json.dumps(line) + "\n")
    return path
