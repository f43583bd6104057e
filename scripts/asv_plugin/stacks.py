"""The parts of asv's runner that a comparison of two stacks is made of (scripts/gate/sides.py)."""

from collections.abc import Callable
from typing import Any

import asv.runner
from asv import util
from asv.benchmarks import Benchmarks
from asv.commands.setup import Setup
from asv.config import Config
from asv.console import log
from asv.environment import get_environments
from asv.repo import get_repo

from scripts.asv_plugin import environments, processes
from scripts.asv_plugin.servers import Server
from scripts.setup import stack

log.enable()
VISIT = "visit", "sentinel", "quiet", "series"


def configuration(env_dir: str) -> Any:
    """asv.conf.json, with the environments in `env_dir`."""
    conf = Config.load("asv.conf.json")
    conf.env_dir = env_dir
    return conf


def installed(conf: Any, commit: str, python: str | None) -> Any:
    """asv's environment with the stack of `commit`, or the existing one of `python`.

    UserError if it cannot be installed.
    """
    (environment,) = get_environments(conf, [f"existing:{python}"] if python else [])
    if python:
        return environment
    try:
        stack.chosen()
        Setup.perform_setup([environment], parallel=1)
        environment.install_project(conf, get_repo(conf), commit)
    except ValueError as error:
        raise util.UserError(str(error)) from None
    except util.ProcessError as error:
        told = environments.reason(error)
        raise util.UserError(f"The stack of {commit[:8]} could not be installed: {told}") from None
    return environment


def discovered(conf: Any, environment: Any, commit: str, patterns: list[str]) -> Any:
    """asv's benchmarks of the work tree that `patterns` choose, with the stack of `commit`."""
    before = len(environments.failures)
    try:
        repo = get_repo(conf)
        return Benchmarks.discover(conf, repo, [environment], [commit], regex=patterns)
    except util.UserError as error:
        if len(environments.failures) == before:  # an interrupt
            raise
        why = environments.failures[-1]
        raise util.UserError(
            f"The benchmarks fail with the stack of {commit[:8]}: {why}"
        ) from error
    finally:
        log.flush()


def server(conf: Any, environment: Any) -> Server:
    return Server(environment, conf.benchmark_dir)


def imported(server: Server, commit: str) -> None:
    """Import the benchmarks and the libraries in `server`; UserError if that fails."""
    there, output = server.preimport()
    if not there:
        why = (output.strip().splitlines() or ["no reason was given"])[-1]
        raise util.UserError(f"The benchmarks of {commit[:8]} could not be imported: {why}")


def setup_cache(server: Server, benchmark: dict[str, Any]) -> tuple[str, Callable[[], None]]:
    """The folder of what a benchmark sets up once a run, and what removes it."""
    folder, said = server.create_setup_cache(benchmark["name"], benchmark["timeout"], "{}")
    if folder is None:
        raise util.UserError(f"{benchmark['setup_cache_key']} failed: {said.splitlines()[-1]}")
    return folder, lambda: util.long_path_rmtree(folder, True)


def process(server: Server, cache: str, benchmark: dict[str, Any], index: int) -> dict[str, Any]:
    """One visit of a point: "visit", "sentinel", "quiet" and "series" of the process's note.

    Those that it has, see benchmarks/visit.py. If it made none, {"skipped": reason} or
    {"failed": what it said last}.
    """
    options: dict[str, Any] = {"extra_params": {}, "profile": False, "cwd": cache}
    result = asv.runner._run_benchmark_single_param(benchmark, server, index, **options)
    said, noted = processes.take_notes(result.stderr)
    if noted:
        return {fact: noted[-1][fact] for fact in VISIT if fact in noted[-1]}
    if result.result[0] is None:
        lines = said.strip().splitlines() or [f"exit code {result.errcode}"]
        return {"failed": lines[-1]}
    return {"skipped": "no reason was given"}
