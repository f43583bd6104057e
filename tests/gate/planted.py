"""A slowdown that nobody told the gate of: is it found, how large does it seem, what else is found?

.venv/bin/python -m tests.gate.planted torch torch:Tensor.copy_ 30

Or cupy cupy:ndarray.set, pycuda pycuda.gpuarray:GPUArray.set.

Both sides are this Python and HEAD. Only on the second one, a `sitecustomize` on its servers' path
wraps one call of one library, so that it takes some steps of an empty loop more. How much longer it
takes for that, each process measures itself, by another call in the same wrapper: the least of
these, over the least that BASE's call took, is the truth, which the gate's finding is held against.
"""

import argparse
import math
import os
import sys
import tempfile
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from scripts.gate import running
from scripts.gate.comparable import commit_hash
from scripts.gate.sides import FOLDER
from scripts.words.formats import change, duration, size
from scripts.words.vocabulary import Series, operation, series

SITECUSTOMIZE = '''
import importlib.util, sys, time

MODULE, NAME, STEPS, TRUTH = {module!r}, {name!r}, {steps!r}, {truth!r}

def planted(call):
    def slower(*args, **kwargs):
        if not told:
            told.append(True)
            tell()
        for _ in loop:
            pass
        return call(*args, **kwargs)
    return slower

def tell(calls=1000):
    """Once a process: what the wrapper costs, by a call that does next to nothing."""
    def seconds(call):
        begin = time.perf_counter()
        for _ in range(calls):
            call(1)
        return (time.perf_counter() - begin) / calls
    wrapped = planted(abs)
    cost = min(seconds(wrapped) for _ in range(9)) - min(seconds(abs) for _ in range(9))
    with open(TRUTH, "a") as file:
        file.write(f"{{cost}}\\n")

class Finder:
    busy = False
    def find_spec(self, name, path=None, target=None):
        if name != MODULE or self.busy:
            return None
        self.busy = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.busy = False
        execute = spec.loader.exec_module
        def exec_module(module):
            execute(module)
            *path, last = NAME.split(".")
            for part in path:
                module = getattr(module, part)
            setattr(module, last, planted(getattr(module, last)))
        spec.loader.exec_module = exec_module
        return spec

told, loop = [], range(STEPS)
sys.meta_path.insert(0, Finder())
'''


@contextmanager
def planting(side, call, steps):
    """In the block, servers that `side` starts have the slowdown; yields the file of the truth."""
    with tempfile.TemporaryDirectory() as folder:
        module, name = call.split(":")
        truth = Path(folder, "truth")
        text = SITECUSTOMIZE.format(module=module, name=name, steps=steps, truth=str(truth))
        Path(folder, "sitecustomize.py").write_text(text)
        path = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))
        start = side.start

        def start_planted():
            with mock.patch.dict(os.environ, PYTHONPATH=path):
                start()

        side.start = start_planted
        yield truth


def measured(call, steps, bench, budget):
    """The gate's answer, the comparison's visits, and the truth: seconds more a call."""
    commits = 2 * [commit_hash("HEAD")]
    for path in FOLDER.glob("planted-*.jsonl"):
        path.unlink()
    options = argparse.Namespace(bench=bench, budget=budget)
    with (
        running.running(options, commits, "planted", "same") as (run, machine),
        planting(run.processes.sides[1], call, steps) as truth,
    ):
        run.processes.used = True  # its servers were started before
        came = running.compared(run, machine, budget)
        if not truth.is_file():
            raise SystemExit(f"No process has called {call}")
        more = min(map(float, truth.read_text().split()))
    return came, run.recording.visits, more


def told(method, came, lines, more):
    """The answer, and what it found beside the truth, as lines of text."""
    yield came.text()
    yield f"Planted: {duration(more)} more a call of {method}'s; if each transfer makes one:"
    seconds = defaultdict(list)
    for line in lines:
        if "change" in line:
            seconds[series(line["benchmark"], line["parameters"])].append(line["seconds"][0])
    mine = came.found.series["method"].eq(method)
    for row in came.found.series[mine].itertuples():
        name = Series(*(getattr(row, field) for field in Series._fields))
        truth = math.log1p(more / min(seconds[name]))
        where = f"{operation(name.benchmark)}, {name.memory}, {size(name.nbytes)}"
        error = f"{100 * row.error:.2g}"
        found = f"planted {change(truth)}, measured {change(row.change)} (+- {error}), found"
        yield f"  {where}: {found} {row.found or 'nothing'}"
    others = came.found.series[~mine]
    names = sorted({one["method"] for one in [*came.slower, *came.faster]} - {method})
    yield f"Of {len(others)} series of other methods: found {', '.join(names) or 'nothing'}"
    if len(others):
        most = others.loc[others["change"].abs().idxmax()]
        yield f"  the largest change of one: {change(most['change'])} ({most['method']})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("method", help="whose library it is: torch")
    parser.add_argument(
        "call", metavar="MODULE:NAME", help="what is made slower: torch:Tensor.copy_"
    )
    parser.add_argument("steps", type=int, help="of an empty loop, before each call")
    parser.add_argument("-b", "--bench", action="append", metavar="REGEX")
    parser.add_argument("--budget", type=float, default=60.0, metavar="MINUTES")
    options = parser.parse_args()
    came, lines, more = measured(options.call, options.steps, options.bench, options.budget)
    print("\n".join(told(options.method, came, lines, more)))
    sys.exit(came.code)


if __name__ == "__main__":
    main()
