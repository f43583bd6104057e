"""What asv lacks for this suite; the one file that touches asv's internals (asv 0.6.6).

asv.conf.json names it as a plugin, so that plain asv commands have all of it:
- a machine registers itself, with its GPU, and only one run measures on it at a time;
- an existing environment is called by Python's version, like asv's own, not by a path, and its
  results are recorded at HEAD with no further flags;
- samples are always recorded, with how many of each process's were taken on a quiet core;
- a run ends by saying what was not measured, and why, and what was measured noisily;
- results files are replaced whole or not at all, and a point that was measured is not lost to a
  later run that cannot measure it.
tests/test_asv_plugin.py fails if asv changes under it.
"""

import ast
import collections
import fcntl
import itertools
import json
import os
import re
import sys
from pathlib import Path

import asv.commands.run
import asv.runner
import numpy
from asv import util
from asv.console import log
from asv.environment import EnvironmentUnavailable, ExistingEnvironment, get_env_name
from asv.machine import Machine, MachineCollection
from asv.results import Results

try:
    import pynvml
except ImportError:
    raise util.UserError("nvidia-ml-py is missing: pip install -r requirements/dev.txt") from None

NOTE = "note: "  # how benchmarks/measure.py begins a line for us
NOISE = ".noise.jsonl"  # beside a results file; asv reads every .json as results
SPREAD = 1.12  # of the sentinel between processes, from which on a run says so


# The machine ------------------------------------------------------------------------------------


def gpu_facts():
    """What does not change about CUDA's device 0: its name, its PCIe link; {} without a GPU."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    try:
        pynvml.nvmlInit()
        if visible.isdigit():
            gpu = pynvml.nvmlDeviceGetHandleByIndex(int(visible))
        else:
            gpu = pynvml.nvmlDeviceGetHandleByUUID(visible)
        name = pynvml.nvmlDeviceGetName(gpu)
    except pynvml.NVMLError:
        return {}
    facts = {"gpu": name}
    try:
        generation = pynvml.nvmlDeviceGetMaxPcieLinkGeneration(gpu)
        facts["link"] = f"PCIe Gen{generation} x{pynvml.nvmlDeviceGetMaxPcieLinkWidth(gpu)}"
    except pynvml.NVMLError:
        pass  # not every virtual machine says
    return facts


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def register(name, gpu):
    """Let asv know this machine, as `asv machine --yes` would, with its GPU.

    asv draws a curve for each value of each fact, so what an update or a hypervisor may change
    under a machine (the kernel's release, the memory's size) is none of them.
    """
    try:
        MachineCollection.load(name)
        return
    except util.UserError:
        pass
    facts = {**Machine.get_defaults(), "machine": name, "os": os.uname().sysname, **gpu}
    del facts["ram"]
    MachineCollection.save(name, facts)
    log.info(f"Registered this machine as {name}")


def lock():
    """One run at a time on a machine: two would measure each other. Held until asv ends."""
    home = Path(MachineCollection.get_machine_file_path()).parent
    lock.directory = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(lock.directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise util.UserError("another run is measuring on this machine; wait for it") from None


def load_machine(cls, machine_name=None, **kwargs):
    name = machine_name or cls.get_unique_machine_name()
    register(name, gpu_facts())
    lock()
    return original_load(machine_name=name, **kwargs)


original_load = Machine.load
Machine.load = classmethod(load_machine)
if gpu := gpu_facts():
    Machine.hardcoded_machine_name = slug(gpu["gpu"])


# The environment --------------------------------------------------------------------------------


def init_existing(self, conf, executable, requirements, tagged_env_vars):
    try:
        original_init(self, conf, executable, requirements, tagged_env_vars)
    except EnvironmentUnavailable:
        raise EnvironmentUnavailable(f"No Python at {executable}") from None
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    self._python = util.check_output([self._executable, "-c", code]).strip()


original_init = ExistingEnvironment.__init__
ExistingEnvironment.__init__ = init_existing
ExistingEnvironment.name = property(
    lambda self: get_env_name(self.tool_name, self._python, {}, self._tagged_env_vars)
)


# The run ----------------------------------------------------------------------------------------


class Notes:
    """What the processes of one run noted."""

    def __init__(self):
        self.processes = collections.defaultdict(list)  # (name, index of the point): notes
        self.skipped = collections.defaultdict(set)  # the points that a reason made n/a
        self.measured = self.noisy = self.failed = 0  # processes

    def add(self, name, index, value, lines):
        self.measured += not util.is_na(value)
        self.failed += value is None
        for note in map(json.loads, lines):
            if "skipped" in note:
                self.skipped[note["skipped"]].add((name, index))
            else:
                self.processes[name, index].append(note)
                self.noisy += note["quiet"] < note["samples"]

    def report(self):
        for reason, points in sorted(self.skipped.items()):
            log.info(f"{len(points)} points are n/a: {reason}")
        if self.failed:
            log.error(f"{self.failed} processes failed")
        if self.noisy:
            log.warning(
                f"{self.noisy} of {self.measured} processes are noisy: not all of their samples "
                f"were taken on a quiet core. Which ones, *{NOISE} beside the results says"
            )
        elif self.measured:
            log.info(f"All {self.measured} processes took all of their samples on a quiet core")
        speeds = [note["sentinel"] for noted in self.processes.values() for note in noted]
        if speeds:
            fast, slow = 1e6 * numpy.quantile(speeds, [0.05, 0.95])
            if slow > SPREAD * fast:
                log.warning(
                    f"The cores' speed changed during the run (sentinel: {fast:.0f} to {slow:.0f} "
                    "us); small and pageable transfers change with it"
                )


def run_point(benchmark, spawner, param_idx, **kwargs):
    """One process of one point; takes our notes out of what it printed."""
    result = original_run_point(benchmark, spawner, param_idx, **kwargs)
    lines = result.stderr.splitlines()
    rest = [line for line in lines if not line.startswith(NOTE)]
    noted = [line.removeprefix(NOTE) for line in lines if line.startswith(NOTE)]
    notes.add(benchmark["name"], param_idx, result.result[0], noted)
    if len(rest) == 1 and rest[0].startswith("For parameters: "):
        rest = []
    log.dot()
    return result._replace(stderr="\n".join(rest))


def run_benchmarks(benchmarks, env, results=None, **kwargs):
    global notes
    notes = Notes()
    runs.append(notes)
    kwargs["record_samples"] = True
    results = original_run_benchmarks(benchmarks, env, results=results, **kwargs)
    notes.report()
    return results


def commit_to_record(conf, env_spec=(), set_commit_hash=None, **options):
    """HEAD, with no further flags, where asv measures what is installed already.

    The benchmarks measured are then those of the work tree, which must not differ from HEAD.
    """
    existing = env_spec and all(re.match("existing|:same$", spec) for spec in env_spec)
    looking = options.get("dry_run") or options.get("quick")
    if not existing or looking or options.get("bench") == ["just-discover"]:
        return set_commit_hash
    status = ["git", "status", "--porcelain", "--", conf.benchmark_dir, "requirements"]
    if changed := util.check_output(status, dots=False, display_error=False).split("\n")[0]:
        raise util.UserError(
            f"A result belongs to a commit, and this is in none: {changed.strip()}. "
            "Commit it, or look without recording: asv run --dry-run"
        )
    return set_commit_hash or "HEAD"


def run(cls, conf, **options):
    runs.clear()
    options["set_commit_hash"] = commit_to_record(conf, **options)
    code = original_run(conf, **options)
    if runs and not any(notes.measured for notes in runs):
        raise util.UserError("Nothing was measured, and nothing recorded")
    return code


runs = []
original_run_point = asv.runner._run_benchmark_single_param
asv.runner._run_benchmark_single_param = run_point
original_run_benchmarks = asv.commands.run.run_benchmarks
asv.commands.run.run_benchmarks = run_benchmarks
original_run = asv.commands.run.Run.run
asv.commands.run.Run.run = classmethod(run)


# The results ------------------------------------------------------------------------------------


def write_json(path, *args, **kwargs):
    """asv's write_json, but an interrupt or a full disk leaves the file that was there."""
    new = f"{path}.new"
    try:
        original_write_json(new, *args, **kwargs)
        os.replace(new, path)
    finally:
        Path(new).unlink(missing_ok=True)


original_write_json = util.write_json
util.write_json = write_json


class RecordedResults(Results):
    """asv's results of one commit on one machine, with the noise beside them."""

    before = None

    def load_data(self, result_dir):
        super().load_data(result_dir)
        path = Path(result_dir, self._filename)
        if path.is_file():
            self.before = Results.load(str(path))

    def add_result(self, benchmark, result, *args, append_samples=False, **kwargs):
        # The first round says whether this run's samples come behind earlier ones.
        self.__dict__.setdefault("appended", {}).setdefault(benchmark["name"], append_samples)
        result = result._replace(samples=util.truncate_float_list(result.samples, 6))
        super().add_result(benchmark, result, *args, append_samples=append_samples, **kwargs)

    def keep_measured(self, name):
        """Put back what benchmark `name` had measured where it is n/a or failed now."""
        version = self.benchmark_version.get(name)
        if not self.before or self.before.benchmark_version.get(name) != version:
            return 0
        params, kept = self._benchmark_params[name], 0
        for column in "_results", "_stats", "_samples":
            ours = getattr(self, column)
            if ours[name] is None:
                ours[name] = [None] * len(list(itertools.product(*params)))
        for index, value in enumerate(self.before.get_result_value(name, params)):
            if util.is_na(value) or not util.is_na(self._results[name][index]):
                continue
            self._results[name][index] = value
            self._stats[name][index] = self.before.get_result_stats(name, params)[index]
            self._samples[name][index] = self.before.get_result_samples(name, params)[index]
            kept += 1
        return kept

    def noise(self, path):
        """The lines of the noise file at `path`, brought up to date with this run."""
        lines = {}
        for line in path.read_text().splitlines() if path.is_file() else []:
            point = json.loads(line)
            lines[point["benchmark"], *point["parameters"]] = point
        for (name, index), noted in notes.processes.items():
            points = list(itertools.product(*self._benchmark_params[name]))
            point = {
                "benchmark": name,
                "version": self.benchmark_version[name],
                "parameters": [ast.literal_eval(value) for value in points[index]],
                "quiet": [note["quiet"] for note in noted],  # samples of each process
                "sentinel": util.truncate_float_list([note["sentinel"] for note in noted]),
            }
            earlier = lines.get((name, *point["parameters"]))
            if earlier and self.appended[name] and earlier["version"] == point["version"]:
                for column in "quiet", "sentinel":
                    point[column] = earlier.get(column, []) + point[column]
            lines[name, *point["parameters"]] = point
        return "".join(json.dumps(lines[key]) + "\n" for key in sorted(lines, key=str))

    def save(self, result_dir):
        if not notes.measured:
            return
        kept = sum(map(self.keep_measured, self._results))
        if kept:
            log.warning(f"{kept} points that could not be measured now keep their earlier results")
        path = Path(result_dir, self._filename).with_suffix(NOISE)
        noise = self.noise(path)
        super().save(result_dir)
        new = path.with_suffix(".new")
        new.write_text(noise)
        new.replace(path)


asv.commands.run.Results = RecordedResults


# The last line ----------------------------------------------------------------------------------


def one_line(kind, error, traceback):
    """What a user can cause ends in one line; anything else is a bug and shows its traceback."""
    log.flush()
    if issubclass(kind, KeyboardInterrupt):
        print("Interrupted", file=sys.stderr)
    elif issubclass(kind, OSError):
        print(f"asv: {error}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = one_line
