"""Processes of two stacks at once: what asv's runner cannot do, made of its parts.

asv measures a commit to the end before it goes to the next (or a round of it, and then installs the
other one anew). A comparison wants both installed, and their processes to take turns.
"""

import ast
import contextlib
import itertools
import json
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import asv.runner
from asv import util
from asv.benchmarks import Benchmarks
from asv.commands.setup import Setup
from asv.config import Config
from asv.console import log
from asv.environment import get_environments
from asv.repo import get_repo

from scripts.asv_plugin import failures, gpu, gpu_facts, lower_level, measure_process, take_notes
from scripts.gate.turns import in_turn
from scripts.recording import facts
from scripts.setup import git, machine, stack

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
        self.spawner = None

    def start(self):
        """A new server: the processes forked from one have their memory's layout in common."""
        self.stop()
        os.environ["TAKE_TURNS"] = self.turns  # the server has it, and so have its processes
        try:
            self.spawner = asv.runner.get_spawner(
                self.environment, self.conf.benchmark_dir, self.conf.launch_method
            )
        finally:
            del os.environ["TAKE_TURNS"]

    def preimport(self):
        """Import the benchmarks and the libraries; UserError if that fails."""
        imported, output = self.spawner.preimport()
        if not imported:
            raise util.UserError(
                f"The benchmarks of {self.commit[:8]} could not be imported: "
                + (output.strip().splitlines() or ["no reason was given"])[-1]
            )

    def stop(self):
        if self.spawner:
            self.spawner.close()
            self.spawner = None

    def close(self):
        self.stop()
        self.folder.cleanup()

    def process(self, benchmark, index, cache):
        """One fresh process of a point: {"sentinel": seconds}, or what else came of it.

        {"skipped": reason} if it is n/a; {"failed": what it said last} if anything else went wrong.
        """
        taken = measure_process(
            benchmark, self.spawner, index, extra_params={}, profile=False, cwd=cache
        )
        result, noted = take_notes(taken)
        if result.result[0] is None:
            said = result.stderr.strip().splitlines() or [f"exit code {result.errcode}"]
            return {"failed": said[-1]}
        if util.is_na(result.result[0]):
            return {"skipped": next((note["skipped"] for note in noted), "no reason was given")}
        return {"sentinel": median(note["sentinel"] for note in noted)}


def commit_hash(name):
    """The commit that `name` names; UserError if there is none."""
    words = "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
    try:
        return git.ask(*words, cwd=".").strip()
    except git.CannotSay as error:
        shallow = ", and this clone is shallow: git fetch --unshallow"
        there_is = f"there is no commit {name!r}{shallow * Path('.git', 'shallow').exists()}"
        raise util.UserError(str(error) or there_is) from None


def load_conf(**changes):
    conf = Config.load("asv.conf.json")
    vars(conf).update(changes)
    return conf


def installed(side):
    """{name: version} of what its environment has."""
    variables = {**os.environ, **side.environment.env_vars}
    words = ["-c", facts.INSTALLED]
    printed = side.environment.run(words, dots=False, display_error=False, env=variables)
    return json.loads(printed.splitlines()[-1])


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
            conf = load_conf(env_dir=str(FOLDER / f"env-{len(environments)}"))
            if commit not in environments:
                environments[commit] = one_environment(conf, commit, python)
            sides.append(Side(conf, commit, environments[commit]))
            stack_.callback(sides[-1].close)
        benchmarks = discovered(conf, sides[-1], patterns)
        log.flush()
        processes = Processes(sides, benchmarks)
        processes.renew()
        processes.caches = setup_caches(sides[0], benchmarks, stack_)
        points = list(selected(benchmarks))
        if not points:
            raise util.UserError(f"No benchmark's name has {' or '.join(patterns)} in it")
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
        self.started, self.used = round(1000 * time.time()), False

    def visit(self, point):
        """What Side.process returns of each side, and the turns (turns.py)."""
        self.used = True
        benchmark = self.benchmarks[point.benchmark]
        cache = self.caches[benchmark["setup_cache_key"]]
        call = benchmark, point.index, cache
        came, turns = in_turn([(side.turns, partial(side.process, *call)) for side in self.sides])
        for process in came:  # only now, as both of them may read the level meanwhile
            if "sentinel" in process:
                lower_level(cache, process["sentinel"])
        return came, turns


def discovered(conf, side, patterns):
    """asv's benchmarks of the work tree that `patterns` choose, found with the side's stack."""
    before = len(failures)
    try:
        return Benchmarks.discover(
            conf, get_repo(conf), [side.environment], [side.commit], regex=patterns
        )
    except util.UserError as error:
        if len(failures) == before:  # an interrupt
            raise
        told = f"The benchmarks fail with the stack of {side.commit[:8]}: {failures[-1][1]}"
        raise util.UserError(told) from error


def one_environment(conf, commit, python):
    """asv's environment with the stack of `commit`, or the existing one of `python`."""
    (environment,) = get_environments(conf, [f"existing:{python}"] if python else [])
    if python:
        return environment
    try:
        stack.chosen()
        Setup.perform_setup([environment], parallel=1)
        environment.install_project(conf, get_repo(conf), commit)
    except ValueError as error:
        raise util.UserError(str(error)) from None
    except util.ProcessError:
        told = f"The stack of {commit[:8]} could not be installed: {failures[-1][1]}"
        raise util.UserError(told) from None
    return environment


def setup_caches(side, benchmarks, stack_):
    """{key: folder} of what the benchmarks set up once a run: the quiet level, one for all sides.

    Two levels would let the sides leave a core for different reasons.
    """
    caches = {None: None}
    for name, benchmark in benchmarks.items():
        key, timeout = benchmark["setup_cache_key"], benchmark["timeout"]
        if key in caches:
            continue
        folder, said = side.spawner.create_setup_cache(name, timeout, "{}")
        if folder is None:
            raise util.UserError(f"{key} failed: {said.splitlines()[-1]}")
        stack_.callback(util.long_path_rmtree, folder, True)
        caches[key] = folder
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


def machine_name(name, results):
    """This machine, registered as `asv run` does, and nobody else measuring on it."""
    machine.lock()
    if isinstance(gpu, Exception):
        raise gpu
    return machine.register(name, gpu_facts, results)


log.enable()
