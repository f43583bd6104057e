"""asv's results of one commit on one machine, with their noise and provenance beside them."""

import ast
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asv
import asv.commands.find
import asv.commands.run
from asv import util
from asv.console import log
from asv.results import Results

from scripts.asv_plugin import in_short, machines
from scripts.asv_plugin.replaced import replace
from scripts.recording import lock, noise, provenance, software
from scripts.recording.conditions import Conditions, installed, now
from scripts.recording.journal import Journal
from scripts.setup import stack
from scripts.words.formats import count


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


runs: list["RecordedResults"] = []  # of each commit that is measured, the last one now


def current() -> "RecordedResults | None":
    return runs[-1] if runs else None


@replace(
    asv.commands.run,
    "Results",
    "an interrupt, or a later run, loses what was measured; there is no noise beside it",
    asv.commands.find,
)
class RecordedResults(Results):
    """What a run measures. Nothing that was measured before is lost to it, or mixed with it."""

    before: Results | None = None
    conditions: Conditions | None = None
    begun = False

    def __init__(self, params: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        # `asv find` takes the machine's facts before it has a name.
        super().__init__({**params, **machines.registered}, *args, **kwargs)
        self.notes = noise.Notes()
        self.journal = Journal()
        self.noise: dict[tuple, dict[str, Any]] = {}
        self.provenance: list[dict[str, Any]] = []
        self.appended: dict[str, bool] = {}
        runs.append(self)

    def load_data(self, result_dir: str) -> None:
        """What is recorded; from here on nobody else may write it."""
        path = Path(result_dir, self._filename)
        try:
            self.held = lock.hold(path)
        except lock.Held as error:
            raise machines.Busy(str(error)) from None
        super().load_data(result_dir)
        del runs[runs.index(self) + 1 :]  # asv has read the file into another one of these
        if path.is_file():  # what `asv rm` has left beside none is of nothing
            try:
                self.noise = noise.load(noise.path_beside(path))
                self.provenance = provenance.load(provenance.path_beside(path))
            except ValueError as error:
                raise util.UserError(str(error)) from None
            self.before = Results.load(str(path))
        self.path, self.journal = path, Journal(path)
        self.found = content(path)

    def get_result_keys(self, benchmarks: Any) -> set[str]:
        """asv asks for them once, before it measures `benchmarks`."""
        in_short.progress.begin_with(benchmarks)
        self.benchmarks = benchmarks
        return super().get_result_keys(benchmarks)

    def begin(self, env: Any) -> None:
        """Before the first process that measures: under which conditions?

        UserError if what is recorded was measured under others: it would be replaced, or mixed.
        """
        if self.begun:
            return
        self.begun = True
        missing = Path(getattr(env, "_path", ""), stack.MISSING)
        if missing.is_file():
            self.notes.missing = json.loads(missing.read_text())
        if self.journal.path is None:  # nothing is recorded
            return
        told = installed(env.run, env.env_vars)
        for line in stack.differences(told["packages"], told["python"], self.commit_hash):
            log.warning(line)
        versions = software.versions(told)
        self.conditions = Conditions(machines.device(), versions, asv=asv.__version__)
        if self.before and self.provenance:
            self.refuse_others(self.provenance[-1]["facts"])
        if self.journal.kept:
            before = self.journal.runs[-1]["facts"] if self.journal.runs else {}
            if changed := self.conditions.differ(before):
                what = ", ".join(sorted(changed))
                log.warning(f"Not gone on with an unfinished run: {what} changed")
                self.journal.forget()
            else:
                kept = count(self.journal.processes(), "process", "processes")
                log.info(f"Going on with an unfinished run: {kept} measured already")
        self.journal.begin(self.conditions.run())

    def refuse_others(self, before: dict[str, Any]) -> None:
        assert self.conditions
        here = self.conditions.facts
        for name in self.conditions.differ(before):
            if name in before and name in here:  # a fact that one of them lacks is no difference
                raise util.UserError(
                    f"{os.path.relpath(self.path)} was measured with {name} {before[name]}, and "
                    f"here it is {here[name]}. It stays as it is: record beside it with --machine "
                    "NAME, or delete it to measure it anew"
                )

    def add_result(
        self,
        benchmark: dict[str, Any],
        result: Any,
        *args: Any,
        append_samples: bool = False,
        **kwargs: Any,
    ) -> None:
        name = benchmark["name"]
        # The first round says whether this run's samples come behind earlier ones.
        self.appended.setdefault(name, append_samples)
        for failed, index in self.notes.failed:  # one process that fails, fails its point
            if failed == name:
                result.result[index] = result.samples[index] = result.number[index] = None
        earlier = self.errcode.get(name) or 0, self.stderr.get(name) or ""
        result = result._replace(
            samples=util.truncate_float_list(result.samples, 6),
            errcode=result.errcode or earlier[0],
            stderr="\n\n".join(filter(None, [earlier[1], result.stderr])),
        )
        kwargs["record_samples"] = True
        super().add_result(benchmark, result, *args, append_samples=append_samples, **kwargs)

    def keep_measured(self, name: str) -> Iterator[int]:
        """Put back the points of benchmark `name` that were measured before and now were not."""
        version = self.benchmark_version.get(name)
        if not self.before or self.before.benchmark_version.get(name) != version:
            return
        params = self.get_result_params(name)
        columns = "_results", "_stats", "_samples"
        then, stats, samples = (
            getattr(self.before, f"get_result_{what}")(name, params)
            for what in ("value", "stats", "samples")
        )
        for column in columns:  # asv folds a column of nothing into None
            getattr(self, column)[name] = getattr(self, column)[name] or [None] * len(then)
        for index, old in enumerate(zip(then, stats, samples, strict=True)):
            if util.is_na(self._results[name][index]) and not util.is_na(old[0]):
                for column, value in zip(columns, old, strict=True):
                    getattr(self, column)[name][index] = value
                self.notes.processes.pop((name, index), None)
                yield index

    def update_noise(self) -> None:
        """Bring the noise up to date with the samples: this run's, and those that are left."""
        points = {}
        for name in self.get_all_result_keys():
            version, params = self.benchmark_version[name], self.get_result_params(name)
            samples = self.get_result_samples(name, params)
            values = self.get_result_value(name, params)
            for index, reprs in enumerate(itertools.product(*params)):
                parameters = [ast.literal_eval(value) for value in reprs]
                key = (name, *parameters)
                old = self.noise.get(key)
                if old and old["version"] != version:
                    old = None
                not_now = util.is_nan(values[index])
                if old and "skipped" in old and not not_now:
                    old = None
                point = {"benchmark": name, "version": version, "parameters": parameters}
                new = self.notes.processes.get((name, index))
                if not_now and (reason := self.notes.skipped.get((name, index))):
                    nothing: dict[str, Any] = {column: [] for column in noise.COLUMNS}
                    old = {**point, **nothing, "skipped": reason}
                elif new:
                    columns = {
                        column: (old[column] if old and self.appended[name] else [])
                        + util.truncate_float_list([process[column] for process in new])
                        for column in noise.COLUMNS
                    }
                    old = {**point, **columns}
                if old and sum(old["samples"]) == len(samples[index] or []):
                    points[key] = old
        self.noise = points

    def save(self, result_dir: str) -> None:
        """Whole or not at all, with what is beside it; and say what makes it doubtful."""
        self.notes.report()
        if not self.notes.measured:
            return  # the stack could not be installed, or nothing could be measured with it
        kept = sum(len(list(self.keep_measured(name))) for name in self.get_all_result_keys())
        if kept:
            points = count(kept, "point", "points")
            log.warning(f"{points} could not be measured now: the earlier result stays")
        self.update_noise()
        assert self.conditions
        self.conditions.look()
        for alarm in self.conditions.alarms():
            log.error(alarm)
        run = self.conditions.run(now(), self.notes.measured)
        if content(self.path) != self.found:  # by `asv rm`, git, or whoever else asks for no lock
            raise util.UserError(
                f"{os.path.relpath(self.path)} was changed while this run measured, and stays so; "
                "the next run adds what this one measured"
            )
        origin = [*self.provenance, *self.journal.runs[:-1], run]
        with (
            noise.replacing(noise.path_beside(self.path), self.noise),
            provenance.replacing(provenance.path_beside(self.path), origin),
        ):
            super().save(result_dir)
        self.journal.runs[-1] = run
        self.journal.write()
        lock.release(self.path, self.held)
        log.info(f"Recorded in {os.path.relpath(self.path)}; commit results/ to keep it")
