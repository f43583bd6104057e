"""What asv lacks for this suite; the one folder that touches asv's internals (asv 0.6.6).

asv.conf.json names it as a plugin, so that plain asv commands have all of it:
- a machine registers itself, with its GPU, and only one run measures on it at a time;
- an existing environment is called by Python's version, like asv's own, not by a path, and its
  results are recorded at HEAD with no further flags;
- a run ends by saying what was not measured, and why, and how noisy the rest is;
- samples are always recorded, and beside them the noise and where they come from
  (recording/);
- a run that did not finish is gone on with by the next one (recording/journal.py);
- a process that fails fails its point, whatever the point's other processes do;
- not all processes are forked from one server, as what they then have in common would be no noise;
- a quiet level that was taken when no core was quiet is lowered once a process finds a quiet one;
- `asv preview` listens on this machine only, and asv's pages need no internet (offline.py);
- files are replaced whole or not at all, and a point that was measured is not lost to a later run
  that cannot measure it;
- `asv publish` makes the report (report_page/).
tests/asv_plugin/test_suite.py, which runs asv for real, fails if asv changes under it.
"""

import ast
import contextlib
import itertools
import json
import os
import pickle
import re
import signal
import socketserver
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import asv.commands.preview
import asv.commands.publish
import asv.commands.run
import asv.machine
import asv.runner
from asv import util
from asv.console import log
from asv.environment import Environment, EnvironmentUnavailable, ExistingEnvironment, get_env_name
from asv.machine import Machine
from asv.publishing import OutputPublisher
from asv.repo import NoSuchNameError
from asv.results import Results

try:
    from scripts import report_page
    from scripts.asv_plugin import offline, surroundings  # noqa: F401
    from scripts.recording import facts, noise, provenance
    from scripts.recording.journal import Journal
    from scripts.setup import children, dotvenv, git, machine, stack
    from scripts.words import one_line, thresholds
    from scripts.words.formats import count
except ImportError as error:
    raise util.UserError(f"{error}: pip install -r requirements/dev.txt") from None

NOTE = "note: "  # how benchmarks/measure.py begins a line for us
BUSY = 75  # the exit code of a run that found another one measuring; sysexits.h's EX_TEMPFAIL


for descriptor in range(3):  # asv's forkserver would take a closed one for its own
    try:
        os.fstat(descriptor)
    except OSError:
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def replace(owner, name):
    """Put a function in the place of asv's own, which it gets as its first argument."""

    def decorate(function):
        original = getattr(owner, name)

        def replacement(*args, **kwargs):
            return function(original, *args, **kwargs)

        setattr(owner, name, replacement)
        return function

    return decorate


# The machine ------------------------------------------------------------------------------------

try:
    gpu = machine.find_gpu()
    gpu_facts = machine.gpu_facts(gpu)
except util.UserError as error:  # only a run minds
    gpu, gpu_facts = error, {}
if gpu_facts:
    Machine.hardcoded_machine_name = machine.slug(gpu_facts["gpu"])


# The environment --------------------------------------------------------------------------------

# asv looks for python3.12 on PATH before it takes the one that runs it, which is there for sure.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


VERSION_AND_LACKING = """
import sys
from importlib.util import find_spec
lacking = [name for name in ("asv_runner", "numpy") if not find_spec(name)]
print("%d.%d" % sys.version_info[:2], *lacking)
"""


@replace(ExistingEnvironment, "__init__")
def init_existing(original, self, conf, executable, *args):
    try:
        original(self, conf, executable, *args)
    except EnvironmentUnavailable:
        raise EnvironmentUnavailable(f"No Python at {executable}") from None
    told = self.run(["-c", VERSION_AND_LACKING], dots=False, display_error=False)
    self._python, *lacking = told.splitlines()[-1].split()
    if lacking:
        install = f"pip install asv_runner=={version('asv_runner')} numpy"
        raise util.UserError(f"{self._executable} has no {', '.join(lacking)}: {install}")


ExistingEnvironment.name = property(
    lambda self: get_env_name(self.tool_name, self._python, {}, self._tagged_env_vars)
)


@replace(Environment, "_get_install_checksum")
def install_checksum(original, self):
    """Another driver, or --stack, may choose another stack for the same commit."""
    return [*original(self), str(stack.cuda_version()), os.environ.get("STACK")]


# The run ----------------------------------------------------------------------------------------


def take_notes(result):
    """asv's result of one process without our notes in its output, and the notes."""
    lines = result.stderr.splitlines()
    rest = [line for line in lines if not line.startswith(NOTE)]
    noted = [json.loads(line.removeprefix(NOTE)) for line in lines if line.startswith(NOTE)]
    if len(rest) == 1 and rest[0].startswith("For parameters: "):
        rest = []
    return result._replace(stderr="\n".join(rest)), noted


measure_process = asv.runner._run_benchmark_single_param  # asv's own, for sides.py


SERVED = 100  # points, at most, with one forkserver; none of them twice
INTERRUPTS = signal.SIGINT, signal.SIGTERM


def renew(spawner):
    """Another forkserver in the place of this one.

    Its processes have its memory's layout in common, which is a third of the noise between them
    (README, "The gate"): with one server alone that would be in no interval.
    """
    if isinstance(spawner, asv.runner.ForkServer):
        try:
            spawner.close()
            spawner.__init__(spawner.env, spawner.benchmark_dir)
            spawner.preimport()
        except KeyboardInterrupt:
            spawner.interrupt()
            raise util.UserError("Interrupted.") from None  # as asv says it


@replace(asv.runner.ForkServer, "__init__")
def start_server(original, self, *args):
    """An interrupt meanwhile would leave its thread, which waits for the server for ever."""
    noted = []
    before = {one: signal.signal(one, lambda *told: noted.append(told)) for one in INTERRUPTS}
    try:
        original(self, *args)
        if noted:
            self.close()
    except RuntimeError:  # the server had the interrupt, too
        if not noted:
            raise
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    if noted:
        raise KeyboardInterrupt


@replace(asv.runner.ForkServer, "close")
def close_server(original, self):
    with contextlib.suppress(FileNotFoundError):  # interrupted while it was renewed
        original(self)


def lower_level(folder, sentinel):
    """Make `sentinel`, a process's, the quiet level in `folder` if that is clearly too high.

    setup_cache (benchmarks/measure.py) takes the level in one moment, when no core may be quiet;
    a process's sentinel is the median of those around 25 samples. True if it is the level now.
    """
    path = Path(folder, "cache.pickle")  # where asv_runner keeps what setup_cache returned
    too_high = sentinel * thresholds.QUIET < pickle.loads(path.read_bytes())
    if too_high:
        path.write_bytes(pickle.dumps(sentinel))
    return too_high


@replace(asv.runner, "_run_benchmark_single_param")
def run_point(original, benchmark, spawner, param_idx, extra_params, **kwargs):
    """One process of one point, or what an unfinished run has kept of it."""
    notes, point = runs[-1], (benchmark["name"], param_idx)
    key = kept = None
    if notes.journal:
        options = json.dumps(extra_params, sort_keys=True)
        key, kept = notes.journal.next_process(*point, benchmark["version"], options)
    if kept:
        columns, noted = kept["columns"], kept["notes"]
        result = asv.runner.BenchmarkResult(*columns, errcode=0, stderr="", profile=None)
    else:
        if point in notes.served or len(notes.served) == SERVED:
            renew(spawner)
            notes.served.clear()
        notes.served.add(point)
        taken = original(benchmark, spawner, param_idx, extra_params=extra_params, **kwargs)
        result, noted = take_notes(taken)
        if notes.journal and not util.is_na(result.result[0]):
            columns = result.result, result.samples, result.number
            notes.journal.add(key, {"columns": columns, "notes": noted})
        for note in noted:
            if "sentinel" in note and lower_level(kwargs["cwd"], note["sentinel"]):
                notes.judge(note["sentinel"])
    notes.add(point, result.result[0], result.samples[0], noted)
    log.dot()
    return result


@replace(asv.commands.run, "run_benchmarks")
def run_benchmarks(original, benchmarks, env, results=None, **kwargs):
    results.notes = noise.Notes()
    results.notes.journal = results.journal
    runs.append(results.notes)
    kwargs["record_samples"] = True
    missing = Path(getattr(env, "_path", ""), stack.MISSING)
    if missing.is_file():
        results.notes.missing = json.loads(missing.read_text())
    if results.journal:  # else nothing is recorded
        results.run = begin(env, results)
    if results.journal and results.journal.kept:
        kept = count(len(results.journal.kept), "process", "processes")
        log.info(f"Going on with an unfinished run: {kept} measured already")
    original(benchmarks, env, results=results, **kwargs)
    results.notes.report()
    if results.run:
        end(results.run, results)
    return results


# The provenance ---------------------------------------------------------------------------------


GPU = "gpu uuid hash"
DECIDING = {*facts.SOFTWARE, "driver", GPU}  # what an unfinished run must have in common


def begin(env, results):
    """The provenance of a run that begins, as provenance.py has it; also in the journal."""
    environment = {**os.environ, **env.env_vars}
    printed = env.run(["-c", facts.INSTALLED], dots=False, display_error=False, env=environment)
    installed = json.loads(printed.splitlines()[-1])  # a site's own start may print, too
    for line in stack.differences(installed, results.commit_hash):
        log.warning(line)
    found = {**facts.software(installed), "asv": asv.__version__, **facts.collect(facts.HOST)}
    if gpu:
        results.others = facts.others_on(gpu)
        found |= facts.collect(facts.GPU, gpu)
        results.readings = facts.readings_under_load(gpu)
        found |= facts.summary(results.readings)
    if results.provenance and results.provenance[-1]["facts"].get(GPU) != found.get(GPU):
        log.warning("Earlier parts of this result were measured on another GPU of its kind")
    if results.journal.kept:
        before = results.journal.runs[-1]["facts"] if results.journal.runs else {}
        changed = set(provenance.difference(before, found)) & DECIDING
        if changed:
            log.warning(f"Not gone on with an unfinished run: {', '.join(sorted(changed))} changed")
            results.journal.forget()
    run = {"started": round(1000 * time.time()), "ended": None, "processes": None, "facts": found}
    results.journal.begin(run)
    results.throttled = facts.throttled()
    return run


def end(run, results):
    """Complete the provenance `run`, and say loudly what makes the run's numbers doubtful."""
    run["ended"], run["processes"] = round(1000 * time.time()), results.notes.measured
    run["facts"] |= facts.throttled_since(results.throttled)
    others = results.others
    if gpu:
        others = max(others, facts.others_on(gpu))
        readings = results.readings + facts.readings_under_load(gpu)
        run["facts"] |= facts.summary(readings)
    for alarm in facts.alarms(run["facts"], gpu_facts.get("link"), others):
        log.error(alarm)


def commit_to_record(conf, env_spec=(), set_commit_hash=None, **options):
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


@replace(asv.commands.run.Run, "run")
def run(original, conf, **options):
    runs.clear()
    bench = options.get("bench") or []
    for pattern in [bench] if isinstance(bench, str) else bench:
        try:
            re.compile(pattern)
        except re.error as error:
            raise util.UserError(f"--bench {pattern!r} is no regular expression: {error}") from None
    signal.signal(signal.SIGTERM, terminated)
    try:
        machine.lock()
    except machine.Busy as error:
        log.error(str(error))
        return BUSY
    if isinstance(gpu, Exception):
        raise gpu
    options["machine"] = machine.register(options.get("machine"), gpu_facts, conf.results_dir)
    options["set_commit_hash"] = commit_to_record(conf, **options)
    try:
        code = original(conf, **options)
    except util.UserError as error:
        if str(error).startswith("Failed to build") and failures:
            # asv tries other commits, too; and git may fail in silence.
            told = [why for words, why in failures if {"pip", "stack.py"} & words] or [str(error)]
            reasons = "; ".join(dict.fromkeys(told))
            raise util.UserError(f"The stack could not be installed: {reasons}") from None
        if str(error) != "Interrupted.":
            raise
        raise util.UserError(interrupted()) from None
    if runs and not any(notes.measured for notes in runs):
        raise util.UserError("Nothing was measured, and nothing recorded")
    return code


def terminated(*_):
    """Die of it, as without this, but not without a word."""
    os.write(2, f"\n{interrupted()}\n".encode())
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


def interrupted():
    kept = sum(len(notes.journal.kept) for notes in runs if notes.journal)
    if not kept:
        return "Interrupted"
    kept = count(kept, "process is", "processes are")
    return f"Interrupted; {kept} kept, and the next run goes on from there"


runs = []  # the Notes of each commit
failures = []  # the words of each command that failed, and the last error that it printed


@replace(util.ProcessError, "__init__")
def process_error(original, self, args, retcode, stdout, stderr):
    original(self, args, retcode, stdout, stderr)
    reason = git.reason(stderr or stdout or "") or str(self)
    if "No matching distribution" in reason:
        reason += "; is the package index within reach?"
    failures.append(({Path(word).name for word in args}, reason))


# The results ------------------------------------------------------------------------------------


@replace(util, "write_json")
def write_json(original, path, *args, **kwargs):
    """An interrupt or a full disk leaves the file that was there."""
    new = f"{path}.new"
    try:
        original(new, *args, **kwargs)
        os.replace(new, path)
    finally:
        Path(new).unlink(missing_ok=True)


@replace(util, "load_json")
def load_json(original, path, *args, **kwargs):
    """asv expects an object, with a version that is a number, and says so only by a traceback."""
    try:
        data = original(path, *args, **kwargs)
    except (TypeError, UnicodeDecodeError):
        data = None
    if not isinstance(data, dict):
        raise util.UserError(f"{path} is not a file of asv's")
    return data


class RecordedResults(Results):
    """asv's results of one commit on one machine, with the noise beside them."""

    notes = before = journal = run = None
    others, readings, throttled = 0, [], {}

    def load_data(self, result_dir):
        super().load_data(result_dir)
        path = Path(result_dir, self._filename)
        try:
            self.noise = noise.load(noise.path_beside(path))
            self.provenance = provenance.load(provenance.path_beside(path))
        except ValueError as error:
            raise util.UserError(str(error)) from None
        if path.is_file():
            self.before = Results.load(str(path))
        self.journal = Journal(path)

    def add_result(self, benchmark, result, *args, append_samples=False, **kwargs):
        name = benchmark["name"]
        # The first round says whether this run's samples come behind earlier ones.
        self.__dict__.setdefault("appended", {}).setdefault(name, append_samples)
        for failed, index in self.notes.failed if self.notes else ():
            if failed != name:
                continue
            result.result[index] = result.samples[index] = result.number[index] = None
        earlier = self.errcode.get(name) or 0, self.stderr.get(name) or ""
        result = result._replace(
            samples=util.truncate_float_list(result.samples, 6),
            errcode=result.errcode or earlier[0],
            stderr="\n\n".join(filter(None, [earlier[1], result.stderr])),
        )
        super().add_result(benchmark, result, *args, append_samples=append_samples, **kwargs)

    def keep_measured(self, name):
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

    def update_noise(self):
        """Bring the noise up to date with the samples: this run's, and those that are left."""
        points = {}
        for name in self.get_all_result_keys():
            version, params = self.benchmark_version[name], self.get_result_params(name)
            samples = self.get_result_samples(name, params)
            for index, reprs in enumerate(itertools.product(*params)):
                parameters = [ast.literal_eval(value) for value in reprs]
                key = (name, *parameters)
                old = self.noise.get(key)
                if old and old["version"] != version:
                    old = None
                new = self.notes.processes.get((name, index))
                if new:
                    columns = {
                        column: (old[column] if old and self.appended[name] else [])
                        + util.truncate_float_list([process[column] for process in new])
                        for column in noise.COLUMNS
                    }
                    point = {"benchmark": name, "version": version, "parameters": parameters}
                    old = {**point, **columns}
                if old and sum(old["samples"]) == len(samples[index] or []):
                    points[key] = old
        self.noise = points

    def save(self, result_dir):
        if not self.notes or not self.notes.measured:
            return  # the stack could not be installed, or nothing could be measured with it
        kept = sum(len(list(self.keep_measured(name))) for name in self.get_all_result_keys())
        if kept:
            kept = count(kept, "point", "points")
            log.warning(f"{kept} could not be measured now: the earlier result stays")
        self.update_noise()
        path = Path(result_dir, self._filename)
        origin = self.provenance + self.journal.runs
        with (
            noise.replacing(noise.path_beside(path), self.noise),
            provenance.replacing(provenance.path_beside(path), origin),
        ):
            super().save(result_dir)
        self.journal.write()
        log.info(f"Recorded in {os.path.relpath(path)}; commit results/ to keep it")


asv.commands.run.Results = RecordedResults


# The site ---------------------------------------------------------------------------------------

PUBLISHERS = [offline.Pages]  # asv calls whatever is a subclass of its OutputPublisher


class LoopbackServer(socketserver.ThreadingTCPServer):
    def server_bind(self):
        try:
            self.server_address = "127.0.0.1", self.server_address[1]
            super().server_bind()
        except OverflowError as error:
            raise util.UserError(str(error)) from None


asv.commands.preview.socketserver = SimpleNamespace(ThreadingTCPServer=LoopbackServer)


@replace(asv.commands.preview.Preview, "run")
def preview(original, conf, **options):
    if not Path(conf.html_dir, "index.html").is_file():
        raise util.UserError(f"There is no site in {conf.html_dir} yet: asv publish makes it")
    return original(conf, **options)


class Report(OutputPublisher):
    """The report beside asv's own pages; made by a process of its own, beside asv's own work."""

    name = "report"
    button_label = "Report"
    description = "The results as charts and tables, also with no network"
    order = 9  # after asv's own, and before offline.Pages, which leads to it
    process = None

    @classmethod
    def start(cls, conf):
        if lacking := report_page.missing():
            install = "pip install -r requirements/dev.txt"
            log.warning(f"No report: this Python has no {', '.join(lacking)}: {install}")
            return
        page = Path(conf.html_dir, "report.html")
        script = dotvenv.ROOT / "scripts" / "report.py"
        command = [sys.executable, script, "--output", page, "--results", conf.results_dir]
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        ending = children.ending_with_us()
        cls.process = subprocess.Popen(command, preexec_fn=ending, **pipes)

    @classmethod
    def publish(cls, conf, repo, benchmarks, graphs, revisions):
        if cls.process:
            lines = cls.process.communicate()[1].splitlines()
            failed = cls.process.returncode
            for line in [f"No report: {''.join(lines[-1:])}"] if failed else lines:
                log.warning(line)


@replace(asv.commands.publish.Publish, "run")
def publish(original, conf, *args, **kwargs):
    def iter_machine_files(results_dir):  # asv has made the site's folder when it calls this
        if not Report.process:
            Report.start(conf)
        for path in asv.machine.iter_machine_files(results_dir):
            try:  # as strict as asv is with the results of such a machine, which it skips
                known = util.load_json(path, api_version=Machine.api_version)
            except util.UserError:
                continue
            if isinstance(known.get("machine"), str):
                yield path

    asv.commands.publish.iter_machine_files = iter_machine_files
    try:
        return original(conf, *args, **kwargs)
    finally:
        if Report.process and Report.process.poll() is None:
            Report.process.kill()
        Report.process = None


# The last line ----------------------------------------------------------------------------------


def last_line(kind, error, traceback):
    """What a user can cause ends in one line; anything else is a bug and shows its traceback."""
    with contextlib.suppress(OSError):
        log.flush()
    if issubclass(kind, KeyboardInterrupt):
        print(interrupted(), file=sys.stderr)
    elif issubclass(kind, NoSuchNameError):
        print(f"asv: no such commit: {error}", file=sys.stderr)
    elif issubclass(kind, util.ProcessError):
        print(f"asv: {Path(error.args[0]).name} failed: {failures[-1][1]}", file=sys.stderr)
    elif issubclass(kind, OSError) and not issubclass(kind, BrokenPipeError):
        print(f"asv: {error}", file=sys.stderr)
    else:
        one_line.one_line(kind, error, traceback)


sys.excepthook = last_line
