"""Two stacks at once, for a comparison: each installed, their processes alive together.

asv measures a commit to the end before it goes to the next (or a round of it, and then installs the
other one anew).
"""

import ast
import contextlib
import itertools
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from asv.util import UserError

from scripts.asv_plugin import stacks
from scripts.asv_plugin.processes import lower_level
from scripts.gate.turns import in_turn
from scripts.recording import conditions, software
from scripts.setup import git

FOLDER = Path(".asv", "gate")  # the environments of the sides, and what was measured


@dataclass
class Point:
    """What a process measures: a benchmark, and which of its parameters' combinations."""

    benchmark: str
    version: str
    index: int
    parameters: dict


class Side:
    """The stack of one commit, installed, and asv's forkserver with its libraries imported."""

    def __init__(self, conf, commit, environment):
        self.conf, self.commit, self.environment = conf, commit, environment
        self.folder = tempfile.TemporaryDirectory(prefix="asv-turns-")
        self.turns = os.path.join(self.folder.name, "socket")
        self.server = None

    def start(self):
        """A new server: the processes forked from one have their memory's layout in common."""
        self.stop()
        os.environ["TAKE_TURNS"] = self.turns  # the server has it, and so have its processes
        try:
            self.server = stacks.server(self.conf, self.environment)
        finally:
            del os.environ["TAKE_TURNS"]

    def preimport(self):
        """Import the benchmarks and the libraries; UserError if that fails."""
        stacks.imported(self.server, self.commit)

    def versions(self):
        """What software.versions says of its Python."""
        found = conditions.installed(self.environment.run, self.environment.env_vars)
        return software.versions(found)

    def stop(self):
        if self.server:
            self.server.close()
            self.server = None

    def close(self):
        self.stop()
        self.folder.cleanup()

    def process(self, *call):
        """One fresh process of a point: what stacks.process returns."""
        return stacks.process(self.server, *call)


def commit_hash(name):
    """The commit that `name` names; UserError if there is none."""
    words = "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
    try:
        return git.ask(*words, cwd=".").strip()
    except git.CannotSay as error:
        shallow = ", and this clone is shallow: git fetch --unshallow"
        there_is = f"there is no commit {name!r}{shallow * Path('.git', 'shallow').exists()}"
        raise UserError(str(error) or there_is) from None


@contextlib.contextmanager
def opened(commits, patterns, python=None):
    """The sides of `commits`, each with its own stack installed, and the points to measure.

    Yields [side, ...], [point, ...] and their Processes. Two equal commits share an environment.
    With `python`, as asv's --python, the libraries that it has are measured, whatever the commit's
    stack. `patterns` choose the points, as asv's --bench. UserError if a stack cannot be installed.
    """
    with contextlib.ExitStack() as stack_:
        sides, environments = [], {}
        for commit in commits:
            conf = stacks.configuration(str(FOLDER / f"env-{len(environments)}"))
            if commit not in environments:
                environments[commit] = stacks.installed(conf, commit, python)
            sides.append(Side(conf, commit, environments[commit]))
            stack_.callback(sides[-1].close)
        last = sides[-1]
        benchmarks = stacks.discovered(last.conf, last.environment, last.commit, patterns)
        processes = Processes(sides, benchmarks)
        processes.renew()
        processes.caches = setup_caches(sides[0], benchmarks, stack_)
        points = list(selected(benchmarks))
        if not points:
            raise UserError(f"No benchmark's name has {' or '.join(patterns)} in it")
        yield sides, points, processes


class Processes:
    """One of each side at a time; `started` is when their servers were (ms since 1970)."""

    def __init__(self, sides, benchmarks):
        self.sides, self.benchmarks = sides, benchmarks
        self.caches = self.started = None
        self.used = True  # have the servers forked any

    def renew(self):
        """A new server of each side, unless they are new."""
        if not self.used:
            return
        for side in self.sides:
            side.start()
        with ThreadPoolExecutor(len(self.sides)) as pool:
            list(pool.map(Side.preimport, self.sides))
        self.started, self.used = conditions.now(), False

    def visit(self, point):
        """What Side.process returns of each side, and the turns (turns.py)."""
        self.used = True
        benchmark = self.benchmarks[point.benchmark]
        cache = self.caches[benchmark["setup_cache_key"]]
        call = cache, benchmark, point.index
        came, turns = in_turn([(side.turns, partial(side.process, *call)) for side in self.sides])
        for process in came:  # only now, as both of them may read the level meanwhile
            if "sentinel" in process:
                lower_level(cache, process["sentinel"])
        return came, turns


def setup_caches(side, benchmarks, stack_):
    """{key: folder} of what the benchmarks set up once a run: the quiet level, one for all sides.

    Two levels would let the sides leave a core for different reasons.
    """
    caches = {None: None}
    for benchmark in benchmarks.values():
        key = benchmark["setup_cache_key"]
        if key not in caches:
            caches[key], remove = stacks.setup_cache(side.server, benchmark)
            stack_.callback(remove)
    return caches


def selected(benchmarks):
    for name, benchmark in sorted(benchmarks.items()):
        if benchmark["type"] != "time" or name.startswith("cold_start."):
            continue  # a cold start takes all of its processes in one
        if "nbytes" not in benchmark["param_names"]:
            continue  # no transfer
        chosen = benchmarks.benchmark_selection[name]
        for index, values in enumerate(itertools.product(*benchmark["params"])):
            if chosen is None or index in chosen:
                parameters = map(ast.literal_eval, values)
                named = dict(zip(benchmark["param_names"], parameters, strict=True))
                yield Point(name, benchmark["version"], index, named)
