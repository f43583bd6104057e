"""Two stacks at once, for a comparison: each installed, their processes alive together.

asv measures a commit to the end before it goes to the next (or a round of it, and then installs the
other one anew).
"""

import ast
import contextlib
import itertools
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from asv.util import UserError

from scripts.asv_plugin import stacks
from scripts.asv_plugin.processes import lower_level
from scripts.gate.turns import Turn, in_turn
from scripts.recording import conditions, software
from scripts.words.vocabulary import IN_TURN

FOLDER = Path(".asv", "gate")  # the environments of the sides, and what was measured


@dataclass
class Point:
    """What a visit measures: a benchmark, and the series of it that are to be recorded.

    `series` are their parameters, by the name that the visit has for them; None is the only one.
    """

    benchmark: str
    version: str
    index: int  # of the combination of parameters that asv is asked for, one of these series
    series: dict[str | None, dict[str, Any]]


class Side:
    """The stack of one commit, installed, and asv's forkserver with its libraries imported."""

    def __init__(self, conf: Any, commit: str, environment: Any) -> None:
        self.conf, self.commit, self.environment = conf, commit, environment
        self.folder = tempfile.TemporaryDirectory(prefix="asv-turns-")
        self.turns = os.path.join(self.folder.name, "socket")
        self.server: Any = None

    def start(self) -> None:
        """A new server: the processes forked from one have their memory's layout in common."""
        self.stop()
        os.environ["TAKE_TURNS"] = self.turns  # the server has it, and so have its processes
        try:
            self.server = stacks.server(self.conf, self.environment)
        finally:
            del os.environ["TAKE_TURNS"]

    def preimport(self) -> None:
        """Import the benchmarks and the libraries; UserError if that fails."""
        stacks.imported(self.server, self.commit)

    def versions(self) -> dict[str, str | None]:
        """What software.versions says of its Python."""
        found = conditions.installed(self.environment.run, self.environment.env_vars)
        return software.versions(found)

    def stop(self) -> None:
        if self.server:
            self.server.close()
            self.server = None

    def close(self) -> None:
        self.stop()
        self.folder.cleanup()

    def process(self, cache: str, benchmark: dict[str, Any], index: int) -> dict[str, Any]:
        """One fresh process of a point: what stacks.process returns."""
        return stacks.process(self.server, cache, benchmark, index)


@contextlib.contextmanager
def opened(
    commits: Sequence[str], patterns: list[str], python: str | None = None
) -> Iterator[tuple[list[Side], list[Point], "Processes"]]:
    """The sides of `commits`, each with its own stack installed, and the points to measure.

    Yields [side, ...], [point, ...] and their Processes. Two equal commits share an environment.
    With `python`, as asv's --python, the libraries that it has are measured, whatever the commit's
    stack. `patterns` choose the points, as asv's --bench. UserError if a stack cannot be installed.
    """
    with contextlib.ExitStack() as stack_:
        sides: list[Side] = []
        environments: dict[str, Any] = {}
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

    caches: dict[str | None, Any]
    started = 0

    def __init__(self, sides: list[Side], benchmarks: Any) -> None:
        self.sides, self.benchmarks = sides, benchmarks
        self.used = True  # have the servers forked any

    def renew(self) -> None:
        """A new server of each side, unless they are new."""
        if not self.used:
            return
        for side in self.sides:
            side.start()
        with ThreadPoolExecutor(len(self.sides)) as pool:
            list(pool.map(Side.preimport, self.sides))
        self.started, self.used = conditions.now(), False

    def visit(self, point: Point) -> tuple[list[dict[str, Any]], list[Turn]]:
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


def setup_caches(side: Side, benchmarks: Any, stack_: contextlib.ExitStack) -> dict[Any, Any]:
    """{key: folder} of what the benchmarks set up once a run: the quiet level, one for all sides.

    Two levels would let the sides leave a core for different reasons.
    """
    caches: dict[Any, Any] = {None: None}
    for benchmark in benchmarks.values():
        key = benchmark["setup_cache_key"]
        if key not in caches:
            caches[key], remove = stacks.setup_cache(side.server, benchmark)
            stack_.callback(remove)
    return caches


def selected(benchmarks: Any) -> Iterator[Point]:
    """A Point for each visit: what asv selected of a benchmark's parameters, series by series."""
    for name, benchmark in sorted(benchmarks.items()):
        if benchmark["type"] != "time" or name.startswith("cold_start."):
            continue  # a cold start takes all of its processes in one
        if "nbytes" not in benchmark["param_names"]:
            continue  # no transfer
        chosen = benchmarks.benchmark_selection[name]
        points: dict[tuple[Any, ...], Point] = {}
        for index, values in enumerate(itertools.product(*benchmark["params"])):
            if chosen is None or index in chosen:
                literals = map(ast.literal_eval, values)
                named = dict(zip(benchmark["param_names"], literals, strict=True))
                place = tuple(value for key, value in named.items() if key != IN_TURN.get(name))
                point = points.setdefault(place, Point(name, benchmark["version"], index, {}))
                point.series[named.get(IN_TURN.get(name, "method"))] = named
        yield from points.values()
