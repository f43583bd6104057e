"""`asv run`: to which commit its results belong, and how it ends."""

import contextlib
import os
import re
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import asv.commands.run
from asv import util
from asv.console import log

from scripts.asv_plugin import environments, in_short, machines, results
from scripts.asv_plugin.replaced import replace
from scripts.setup import git, stack
from scripts.words.formats import count

BUSY = 75  # the exit code of a run that found another one measuring; sysexits.h's EX_TEMPFAIL


def commit_to_record(
    conf: Any, env_spec: Sequence[str] = (), set_commit_hash: str | None = None, **options: Any
) -> str | None:
    """HEAD, with no further flags, where asv measures what is installed already.

    The benchmarks measured are then those of the work tree, which must not differ from HEAD.
    UserError if they do, or if asv shall install a stack that this driver cannot run.
    """
    existing = env_spec and all(re.match("existing|:same$", spec) for spec in env_spec)
    try:
        existing or stack.chosen()
    except ValueError as error:
        raise util.UserError(str(error)) from None
    looking = options.get("dry_run") or options.get("quick")
    if not existing or looking or options.get("bench") == ["just-discover"]:
        return set_commit_hash
    try:
        changed = git.changed(conf.benchmark_dir, "requirements", cwd=".")
    except git.CannotSay as error:
        raise util.UserError(f"Results belong to commits. {error}") from None
    if changed:
        raise util.UserError(
            f"A result belongs to a commit, and this is in none: {changed[0]}. "
            "Commit it, or look without recording: asv run --dry-run"
        )
    return set_commit_hash or "HEAD"


def check_patterns(bench: str | list[str] | None) -> None:
    for pattern in [bench] if isinstance(bench, str) else bench or []:
        try:
            re.compile(pattern)
        except re.error as error:
            raise util.UserError(f"--bench {pattern!r} is no regular expression: {error}") from None


@contextlib.contextmanager
def results_folder(conf: Any, dry_run: bool) -> Iterator[None]:
    """Where asv writes: of a dry run, what it writes all the same is gone afterwards."""
    if not dry_run:
        yield
        return
    log.info("A dry run: nothing is recorded, and no file of results/ changes")
    with tempfile.TemporaryDirectory() as folder:
        conf.results_dir = folder
        yield


@replace(
    asv.commands.run.Run,
    "run",
    "what an existing Python measures is not recorded; why a stack cannot be installed is not said",
)
def run(original: Callable[..., Any], conf: Any, **options: Any) -> Any:
    results.runs.clear()
    in_short.progress.interleaved = bool(options.get("interleave_rounds"))
    check_patterns(options.get("bench"))
    signal.signal(signal.SIGTERM, terminated)
    options["set_commit_hash"] = commit_to_record(conf, **options)
    dry_run = bool(options.get("dry_run"))
    try:
        with results_folder(conf, dry_run):
            code = original(conf, **options)
    except machines.Busy as error:
        log.error(str(error))
        return BUSY
    except util.UserError as error:
        raise util.UserError(told(error)) from None
    for recorded in results.runs if dry_run else ():
        recorded.notes.report()
    if results.runs and not any(recorded.notes.measured for recorded in results.runs):
        raise util.UserError("Nothing was measured, and nothing recorded")
    return code


def told(error: util.UserError) -> str:
    """What to say of an error that ended a run; and of what is kept."""
    if str(error) == "Interrupted.":
        return interrupted()
    if str(error).startswith("Failed to build") and environments.failures:
        # asv tries other commits, too, and says only that none of them worked.
        reasons = "; ".join(dict.fromkeys(environments.failures))
        return f"The stack could not be installed: {reasons}"
    return "; ".join(filter(None, [str(error), kept()]))


def terminated(*_: Any) -> None:
    """Die of it, as without this, but not without a word."""
    os.write(2, f"\n{interrupted()}\n".encode())
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


def kept() -> str:
    """What an unfinished run has measured, in words; "" if that is nothing."""
    number = sum(one.journal.processes() for one in results.runs)
    if not number:
        return ""
    return (
        f"{count(number, 'process is', 'processes are')} kept, and the next run goes on from there"
    )


def interrupted() -> str:
    return "; ".join(filter(None, ["Interrupted", kept()]))
