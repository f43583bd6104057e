"""The suite as asv sees it: real runs on small grids, and what they leave in results/."""

import ast
import contextlib
import itertools
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import methods, quiet_core
from scripts.recording import noise, provenance
from tests.conftest import ROOT, TINY, change, has_gpu

KILLS = 20
COPY = "reference.HostCopy.time_copy"


def values(path, benchmark):
    """{parameters: (seconds, samples)} of what was measured, from a results file."""
    data = json.loads(path.read_text())
    columns = dict(zip(data["result_columns"], data["results"][benchmark], strict=False))
    points = itertools.product(*columns["params"])
    samples = columns.get("samples") or itertools.repeat(None)
    found = zip(points, columns["result"], samples, strict=False)
    return {
        tuple(map(ast.literal_eval, point)): (value, samples)
        for point, value, samples in found
        if value is not None and not math.isnan(value)
    }


def processes(path, *point):
    """How many samples each process of the point took, as the noise file has it."""
    line = noise.load(noise.path_beside(path)).get(point)
    if line is None:
        return []
    assert len(line["samples"]) == len(line["quiet"]) == len(line["sentinel"])
    assert all(0 <= quiet <= 25 for quiet in line["quiet"])
    assert all(1e-6 < seconds < 1e-2 for seconds in line["sentinel"])
    return line["samples"]


def test_a_run_records_what_later_statistics_need(project):
    done = project.run(*TINY)
    assert done.returncode == 0, done.stdout
    text = project.results().read_text()
    data = json.loads(text)
    python = "{}.{}".format(*sys.version_info)
    assert data["python"] == data["params"]["python"] == python
    assert data["env_name"] == f"existing-py{python}"
    assert data["commit_hash"] == project.git("rev-parse", "HEAD")
    for place in (str(project.path), str(project.home), sys.prefix, sys.executable):
        assert place not in text
    (((dtype, nbytes), (seconds, samples)),) = values(project.results(), COPY).items()
    assert (dtype, nbytes, len(samples)) == ("float32", 1024, 2 * 25)
    assert 1e-8 < seconds < 1e-4
    assert processes(project.results(), COPY, "float32", 1024) == [25, 25]
    machine = json.loads((project.results().parent / "machine.json").read_text())
    assert machine["machine"] == project.results().parent.name
    assert ("gpu" in machine) == has_gpu()


def test_parts_add_to_one_results_file(project):
    assert project.run(*TINY, "-a", "rounds=1").returncode == 0
    first = values(project.results(), COPY)
    assert project.run("--bench", r"HostCopy.*'uint8', 1024\)", "-a", "rounds=1").returncode == 0
    both = values(project.results(), COPY)
    assert set(both) == {("float32", 1024), ("uint8", 1024)}
    assert both["float32", 1024] == first["float32", 1024]
    assert all(processes(project.results(), COPY, *point) == [25] for point in both)
    more = project.run(*TINY, "-a", "rounds=1", "--append-samples")
    assert more.returncode == 0
    _, samples = values(project.results(), COPY)["float32", 1024]
    assert samples[:25] == first["float32", 1024][1]
    assert len(samples) == 50
    assert processes(project.results(), COPY, "float32", 1024) == [25, 25]


def test_without_a_gpu_every_point_says_why(measured):
    bench = ("--bench", r"_array\(.*'pinned', 'float32', 1024\)", "--bench", "Link.*1024")
    before = measured.results().read_bytes()
    done = measured.run(*bench, CUDA_VISIBLE_DEVICES="-1")
    assert done.returncode == 1
    points = 2 * len(methods.REGISTRY) + 2
    assert re.search(rf"{points} points are n/a: .*no (NVIDIA driver|device)", done.stdout)
    assert done.stdout.rstrip().endswith("Nothing was measured, and nothing recorded")
    assert "Traceback" not in done.stdout
    assert measured.results().read_bytes() == before


@pytest.mark.parametrize(("most", "forked"), [(3, [3, 3, 2]), (9, [4, 4])])
def test_not_all_processes_are_forked_from_one_server(project, most, forked):
    """What its processes have in common, the memory's layout, would be in no interval."""
    change(project, "scripts/asv_plugin/servers.py", "SERVED = 100", f"SERVED = {most}")
    path = project.path / "servers"
    told = f"    print(__import__('os').getppid(), file=open({str(path)!r}, 'a'))\n"
    here = "    source, target = numpy.empty(n, dtype)"
    change(project, "benchmarks/reference.py", here, told + here)
    done = project.run("--bench", r"HostCopy.*'float32', (1024|8192|65536|524288)\)")
    assert done.returncode == 0, done.stdout
    servers = path.read_text().split()
    # Four points twice: no more than `most` of a server's, and none of them twice.
    assert [servers.count(one) for one in dict.fromkeys(servers)] == forked


SERVER = """
import os, signal, subprocess, sys, threading, time
sys.path.insert(0, ".")
from scripts.asv_plugin import servers

class Environment:
    env_vars = {}

    def run(self, words, **options):
        code = "import os, sys, time; time.sleep(1); open(sys.argv[1], 'w'); time.sleep(60)"
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        code = [sys.executable, "-c", code, words[-1]]
        return subprocess.Popen(code, start_new_session=True, **pipes)

threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
servers.Server(Environment(), ".")
"""


def test_an_interrupt_while_a_server_starts_ends_the_run():
    done = subprocess.run(
        [sys.executable, "-c", SERVER], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.stderr.strip() == "Interrupted"


def test_what_is_in_no_commit_is_not_recorded(project):
    path = project.path / "benchmarks" / "reference.py"
    path.write_text(path.read_text() + "\n")
    for words in (), ("--python=same",), ("--set-commit-hash", "HEAD"):
        done = project.run(*words, *TINY)
        assert done.returncode == 1
        assert "this is in none: benchmarks/reference.py. Commit it" in done.stdout
    done = project.run("--dry-run", *TINY)
    assert done.returncode == 0
    assert not list(project.path.glob("results/*/*-*.json"))


def test_a_copy_of_wrong_bytes_is_a_failure(project):
    whole, short = "numpy.copyto, target, source", "numpy.copyto, target[1:], source[1:]"
    change(project, "benchmarks/reference.py", whole, short)
    done = project.run(*TINY)
    assert done.returncode == 2
    assert "wrong bytes arrived" in done.stdout
    assert "1 point failed" in done.stdout
    assert not values(project.results(), COPY)
    assert processes(project.results(), COPY, "float32", 1024) == []


def fail_once(project):
    """The first process that copies on the host fails from now on, and no other does."""
    once = project.home / "once"
    fails = f"""try:
        open({str(once)!r}, "x")
    except FileExistsError:
        pass
    else:
        raise RuntimeError("only the first")
    take = functools.partial(timed, functools"""
    change(project, "benchmarks/reference.py", "take = functools.partial(timed, functools", fails)


def test_a_point_whose_other_process_failed_is_a_failure(project):
    fail_once(project)
    done = project.run(*TINY)
    assert done.returncode == 2
    assert "1 point failed" in done.stdout
    assert "RuntimeError: only the first" in done.stdout
    assert not values(project.results(), COPY)


def test_a_process_that_failed_takes_its_point_back_to_what_was_measured_before(measured):
    before = values(measured.results(), COPY)
    same = ("--set-commit-hash", measured.git("rev-parse", "HEAD"))
    fail_once(measured)
    assert measured.run(*TINY, *same).returncode == 2
    assert values(measured.results(), COPY) == before
    assert processes(measured.results(), COPY, "float32", 1024) == [25, 25]


def test_a_failure_does_not_take_away_what_was_measured(measured):
    before = values(measured.results(), COPY)
    same = ("--set-commit-hash", measured.git("rev-parse", "HEAD"))
    change(measured, "benchmarks/reference.py", "checks.fill(source)", "raise RuntimeError")
    done = measured.run(*TINY, *same)
    assert done.returncode == 2
    assert "1 point could not be measured now: the earlier result stays" in done.stdout
    assert values(measured.results(), COPY) == before
    assert processes(measured.results(), COPY, "float32", 1024) == [25, 25]


def test_results_of_another_version_are_not_put_back(measured):
    same = ("--set-commit-hash", measured.git("rev-parse", "HEAD"))
    change(measured, "benchmarks/reference.py", 'version = "2"', 'version = "3"')
    change(measured, "benchmarks/reference.py", "checks.fill(source)", "raise RuntimeError")
    assert measured.run(*TINY, *same).returncode == 2
    assert not values(measured.results(), COPY)


def test_noisy_processes_are_kept_and_counted(project):
    change(project, "benchmarks/quiet_core.py", "QUIET = 1.12", "QUIET = 0.0")
    done = project.run(*TINY)
    assert done.returncode == 0
    assert "4 processes measured, 4 of them not all the time on a quiet core" in done.stdout
    line = noise.load(noise.path_beside(project.results()))[COPY, "float32", 1024]
    assert (line["samples"], line["quiet"]) == ([25, 25], [0, 0])


def test_a_quiet_level_taken_when_no_core_was_quiet_is_corrected(project):
    """The first process is as slow as the level, the second on a quiet core, the others on none."""
    assert noise.QUIET == quiet_core.QUIET
    ended = project.home / "ended"
    ended.touch()
    sentinel = f"return (1e-3, 1e-4, 2e-4, 1.9e-4)[len(open({str(ended)!r}).read())]"
    change(project, "benchmarks/quiet_core.py", "return min(taken)", sentinel)
    end = f'open({str(ended)!r}, "a").write("."); print("note:"'
    change(project, "benchmarks/reasons.py", 'print("note:"', end)
    done = project.run(*TINY)
    assert "4 processes measured, 3 of them not all the time on a quiet core" in done.stdout
    points = noise.load(noise.path_beside(project.results())).values()
    noted = [dict(zip(one["sentinel"], one["quiet"], strict=True)) for one in points]
    assert noted[0] | noted[1] == {1e-3: 0, 1e-4: 25, 2e-4: 0, 1.9e-4: 0}


def test_processes_are_forked_from_one_that_has_the_libraries(project):
    parent = project.home / "parent"
    look = f"open({str(parent)!r}, 'w').write(open(f'/proc/{{os.getppid()}}/cmdline').read())"
    change(project, "benchmarks/reference.py", "checks.fill(source)", f"import os; {look}")
    project.run(*TINY)
    assert "run_server" in parent.read_text().split("\0")


def test_a_run_of_few_samples_says_how_few(project):
    assert project.run(*TINY, "-a", "repeat=3", "-a", "rounds=1").returncode == 0
    assert processes(project.results(), COPY, "float32", 1024) == [3]
    assert project.run(*TINY, "-a", "repeat=30", "-a", "rounds=1").returncode == 0
    line = noise.load(noise.path_beside(project.results()))[COPY, "float32", 1024]
    assert line["samples"] == [25, 5]  # of two visits


def test_another_machine_of_the_same_name(measured):
    """Named by its user it is refused; by default, as two with one kind of GPU are, numbered."""
    before, name = measured.results().read_bytes(), measured.results().parent.name
    path = measured.results().parent / "machine.json"
    path.write_text(path.read_text().replace('"cpu": "', '"cpu": "another than '))
    done = measured.run(*TINY, "--machine", name)
    assert done.returncode == 1
    assert "(cpu: another than " in done.stdout.splitlines()[-1]
    assert "Name this one otherwise: --machine NAME" in done.stdout.splitlines()[-1]
    for _ in range(2):
        assert measured.run(*TINY).returncode == 0
    numbered = {path.parent.name for path in measured.path.glob("results/*/machine.json")}
    assert numbered == {name, f"{name}-2"}
    (path,) = measured.path.glob(f"results/{name}/*-py3*.json")
    assert path.read_bytes() == before


@pytest.mark.slow
@pytest.mark.skipif(has_gpu(), reason="another stack would be installed here")
def test_a_commit_whose_stack_cannot_be_installed_stops_no_other(project):
    project.git("rm", "-q", "requirements/host.txt")
    project.git("commit", "-qm", "no stack")
    done = project.asv("run", "ALL", *TINY)
    assert "This commit has no host.txt" in done.stdout
    assert "Traceback" not in done.stdout
    assert done.returncode == 2
    (recorded,) = project.path.glob("results/*/*-virtualenv-*.json")
    assert recorded.name.startswith(project.git("rev-parse", "HEAD~1")[:8])
    assert processes(recorded, COPY, "float32", 1024) == [25, 25]


def test_what_cannot_be_measured_now_keeps_its_result(measured):
    before = values(measured.results(), COPY)
    same = ("--set-commit-hash", measured.git("rev-parse", "HEAD"))
    out_of_memory = "raise MemoryError('Unable to allocate')"
    change(measured, "benchmarks/reference.py", "checks.fill(source)", out_of_memory)
    done = measured.run(*TINY, *same)
    assert done.returncode == 0
    assert "1 point is n/a: not enough memory: Unable to allocate" in done.stdout
    assert "1 point could not be measured now: the earlier result stays" in done.stdout
    assert values(measured.results(), COPY) == before
    assert processes(measured.results(), COPY, "float32", 1024) == [25, 25]


@pytest.mark.skipif(has_gpu(), reason="the limit would hit the libraries, not the array")
def test_too_little_host_memory_is_not_a_failure(project):
    words = ["asv", "run", "--environment", "existing:same"]
    bench = ["--bench", r"HostCopy.*'uint8', (268435456|1024)\)"]
    limit = ["prlimit", f"--data={400 << 20}"]
    done = project.call(*limit, sys.executable, "-m", *words, *bench)
    assert done.returncode == 0, done.stdout
    assert "1 point is n/a: not enough memory: Unable to allocate 256. MiB" in done.stdout
    assert set(values(project.results(), COPY)) == {("uint8", 1024)}


@pytest.mark.parametrize(
    "words",
    [
        ("HEAD~9..HEAD",),
        ("no-such-branch",),
        ("--environment", "existing:same", "--set-commit-hash", "no-such-commit"),
    ],
)
def test_a_commit_that_is_not_there(project, words):
    done = project.asv("run", *words, *TINY)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    assert re.search("no such commit|git failed: fatal: ", done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("words", "last"),
    [
        (("--bench", "("), r"--bench '\(' is no regular expression: "),
        (("--machine", "../elsewhere"), r"'../elsewhere' cannot name a machine"),
        (("--machine", "version"), r"'version' cannot name a machine"),
    ],
)
def test_words_that_make_no_sense(project, words, last):
    done = project.run(*TINY, *words)
    assert done.returncode == 1
    assert re.search(last, done.stdout.splitlines()[-1])
    assert not (project.path / "results").exists()


def test_a_machine_file_in_a_home_decides_nothing(measured):
    """Different nodes may share a home; what is true of this one now is what is recorded."""
    name = measured.results().parent.name
    other = {"machine": name, "cpu": "another", "num_cpu": "999", "arch": "sparc", "gpu": "none"}
    path = measured.home / ".asv-machine.json"
    for content in json.dumps({name: other, "version": 1}), "[]", "":
        path.write_text(content)
        done = measured.run(*TINY)
        assert done.returncode == 0, done.stdout
        assert path.read_text() == content
        assert "another" not in (measured.results().parent / "machine.json").read_text()


def test_output_that_nobody_reads_and_no_input(project):
    run = f"{sys.executable} -m asv run --environment existing:same --bench {TINY[3]}"
    done = project.call("sh", "-c", f"{run} <&- 2>&1")
    assert done.returncode == 0, done.stdout
    done = project.call("sh", "-c", f"{run} | head -1")
    assert "Traceback" not in done.stdout


def test_a_library_that_ends_the_process_it_is_imported_in_stops_no_other(project):
    begin = "def load():\n"
    change(project, "benchmarks/methods/cuda_python.py", begin, begin + "    raise SystemExit(3)\n")
    assert project.run(*TINY).returncode == 0


def test_a_driver_that_is_none_is_not_there(project, tmp_path):
    command = ["gcc", "-shared", "-o", tmp_path / "libcuda.so.1", "-x", "c", os.devnull]
    subprocess.run(command, check=True)
    bench = ("--bench", r"existing_array\(.*'pinned', 'float32', 1024\)")
    done = project.run(*bench, LD_LIBRARY_PATH=str(tmp_path))
    assert done.returncode == 1
    assert "n/a: no NVIDIA driver on this machine" in done.stdout
    assert "Traceback" not in done.stdout


def test_no_benchmark_and_no_python(project):
    done = project.run("--bench", "no_such_thing")
    assert done.returncode == 1
    assert done.stdout.rstrip().endswith("No benchmarks selected")
    done = project.asv("run", "--environment", "existing:/nowhere/python")
    assert done.returncode == 1
    assert "No Python at /nowhere/python" in done.stdout
    assert "Traceback" not in done.stdout
    bare = project.home / "python"  # one without packages
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    done = project.asv("run", "--environment", f"existing:{bare}")
    assert done.returncode == 1
    assert "has no asv_runner, numpy: pip install asv_runner==" in done.stdout.splitlines()[-1]
    assert "Traceback" not in done.stdout


def test_a_broken_results_file_stops_a_run_and_is_left_alone(measured):
    path = measured.results()
    for content in '{"commit_hash": "12', "":
        path.write_text(content)
        done = measured.run(*TINY)
        assert done.returncode == 1
        name = path.relative_to(measured.path)
        assert f"Error parsing JSON in file '{name}'" in done.stdout
        assert "Traceback" not in done.stdout
        assert path.read_text() == content
    half = path.with_name(f"deadbeef-{path.name.partition('-')[2]}")
    half.write_text('{"commit_hash": "12')
    published = measured.asv("publish")
    assert published.returncode == 0
    for broken in path, half:
        assert re.search(rf"Error parsing JSON in file '\S*{broken.name}'", published.stdout)


@pytest.mark.parametrize("content", ["half a li", '{"benchmark": 1}', "[]"])
def test_a_broken_noise_file_stops_a_run_before_it_measures(measured, content):
    before = measured.results().read_bytes()
    noise.path_beside(measured.results()).write_text(content)
    done = measured.run(*TINY)
    assert done.returncode == 1
    assert "Error parsing the noise file" in done.stdout.splitlines()[-1]
    assert measured.results().read_bytes() == before


def test_a_full_disk_loses_nothing(project):
    """A limit on the size of files stands for the disk: both end a write in the middle.

    The results are longer than asv's list of benchmarks, so that either can be the one that fails.
    """
    for other in "cold_start", "device_to_host", "many_arrays", "ordinary_array":
        project.git("rm", "-q", f"benchmarks/{other}.py")
    project.git("commit", "-qm", "fewer benchmarks")
    words = ("--bench", r"HostCopy.*(1024|8192|65536|524288|4194304)\)")
    assert project.run(*words).returncode == 0
    folder = project.path / "results"
    before = {path: path.read_bytes() for path in folder.rglob("*.json*")}
    assert len(before) == 5
    assert len(before[project.results()]) > len(before[folder / "benchmarks.json"]) + 600
    # A run's samples take more or fewer digits; asv's list of benchmarks is always as long.
    for full, missing in (folder / "benchmarks.json", 1), (project.results(), 500):
        limit = ["prlimit", f"--fsize={len(before[full]) - missing}"]
        asv_run = ["-m", "asv", "run", "--environment=existing:same", *TINY]
        done = project.call(*limit, sys.executable, *asv_run)
        assert done.returncode == 1
        assert "File too large" in done.stdout.splitlines()[-1]
        assert "Traceback" not in done.stdout
        assert {path: path.read_bytes() for path in before} == before
    assert "Going on with an unfinished run: 4 processes measured" in project.run(*TINY).stdout
    assert set(folder.rglob("*.json*")) == set(before)


def start(project, *words):
    """An `asv run` that is already measuring."""
    command = [sys.executable, "-m", "asv", "run", "--environment", "existing:same"]
    run = subprocess.Popen(
        [*command, *words],
        cwd=project.path,
        env=project.environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    run.start = ""
    for line in run.stdout:
        run.start += line
        if "Finding out how fast" in line:
            return run
    raise AssertionError("the run ended before it measured")


def wait_for_processes(project):
    """Until a run has kept two of them."""
    journals = project.path.glob
    wait_until(
        lambda: any(len(whole_lines(one)) > 2 for one in journals("results/*/*.unfinished.jsonl"))
    )


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_loses_nothing(measured, end):
    before = measured.results().read_bytes()
    run = start(measured, "--bench", "HostCopy")
    wait_for_processes(measured)
    run.send_signal(end)
    output = run.stdout.read()
    # asv catches an interrupt while a process measures; of one in between Python dies, as usual.
    assert run.wait() in ({1, -end} if end == signal.SIGINT else {-end})
    last = output.splitlines()[-1]
    assert re.search(r"Interrupted; \d+ process(es)? (is|are) kept, and the next run goes on", last)
    assert "Traceback" not in output
    assert measured.results().read_bytes() == before


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_as_if_it_had_not_been(project):
    """Real runs, ended at random moments in three ways: what was measured is never lost."""
    words = ("--bench", r"HostCopy.*(1024|8192|65536|524288|4194304)\)")
    random.seed(time.time_ns())
    done, ended = set(), 0
    while True:
        run = start(project, *words)
        try:
            moment = random.uniform(0.02, 0.35) if ended < KILLS else None
            output, _ = run.communicate(timeout=moment)
            break
        except subprocess.TimeoutExpired:
            run.send_signal(random.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
            output, _ = run.communicate(timeout=20)
            ended += 1
        assert "Traceback" not in output
        journals = project.path.glob("results/*/*.unfinished.jsonl")
        entries = [json.loads(line) for path in journals for line in whole_lines(path)]
        keys = {entry["key"] for entry in entries if "key" in entry}
        assert keys >= done
        done = keys
    assert run.returncode == 0, output
    assert f"Going on with an unfinished run: {len(done)} processes measured" in run.start
    assert ended == KILLS
    measured = values(project.results(), COPY)
    assert len(measured) == 25
    assert all(len(samples) == 50 for _, samples in measured.values())
    assert all(processes(project.results(), COPY, *point) == [25, 25] for point in measured)
    assert not list(project.path.glob("results/*/*.unfinished.jsonl"))
    runs = provenance.load(provenance.path_beside(project.results()))
    assert [run["ended"] is None for run in runs] == [True] * (len(runs) - 1) + [False]
    assert 1 < len(runs) <= 1 + KILLS  # those whose measurements were taken over, and the last


def whole_lines(path):
    return [line for line in path.read_text().splitlines(True) if line.endswith("\n")]


def killed(project, *words):
    """The journal of an `asv run` that was killed while it measured."""
    run = start(project, *words)
    wait_for_processes(project)
    run.kill()
    run.communicate(timeout=20)
    (journal,) = project.path.glob("results/*/*.unfinished.jsonl")
    return journal


def test_another_run_than_the_unfinished_one_measures_its_own(project):
    journal = killed(project, "--bench", r"HostCopy.*(1024|8192)\)")
    kept = len(whole_lines(journal))
    assert kept > 1
    done = project.run("--bench", r"HostCopy.*'float64', 65536\)")
    assert done.returncode == 0
    assert set(values(project.results(), COPY)) == {("float64", 65536)}
    assert len(whole_lines(journal)) == kept


def test_an_unfinished_run_of_other_libraries_is_not_gone_on_with(project):
    journal = killed(project, "--bench", r"HostCopy.*(1024|8192)\)")
    journal.write_text(journal.read_text().replace('"numpy": "', '"numpy": "1.0 before '))
    done = project.run("--bench", r"HostCopy.*(1024|8192)\)")
    assert done.returncode == 0, done.stdout
    assert "Not gone on with an unfinished run: numpy changed" in done.stdout
    assert "20 processes measured" in done.stdout
    assert not journal.exists()
    (recorded,) = provenance.load(provenance.path_beside(project.results()))
    assert recorded["processes"] == 20


def test_a_damaged_journal_keeps_what_is_whole(project):
    journal = killed(project, "--bench", r"HostCopy.*1024\)")
    run, first, *_ = journal.read_bytes().splitlines(keepends=True)
    entry = json.loads(first)
    wrong = [3, {}, {"columns": [1, 2, 3], "notes": []}, {**entry["process"], "notes": [{}]}]
    wrong += [{**entry["process"], "columns": [["1"], [[1.0]], [1]]}]
    wrong += [{**entry["process"], "columns": [[1.0], [None], [1]]}]
    lines = [json.dumps({"key": entry["key"], "process": one}) + "\n" for one in wrong]
    of_run = {"ended": None, "processes": None, "facts": {}}
    runs = [1, {"started": 1}, {**of_run, "started": "1"}, {**of_run, "started": math.inf}]
    lines += ["[]\n", *(json.dumps({"run": run}) + "\n" for run in runs)]
    journal.write_bytes(b"\xff\xfe\n" + run + first + "".join(lines).encode())
    done = project.run("--bench", r"HostCopy.*1024\)")
    assert done.returncode == 0, done.stdout
    assert "Going on with an unfinished run: 1 process measured already" in done.stdout
    assert "10 processes measured" in done.stdout


def test_two_runs_at_once_do_not_measure_each_other(project):
    first = start(project, "--bench", r"HostCopy.*(1024|65536)\)")
    second = project.run(*TINY)
    assert second.returncode == 75  # as sysexits.h has it: try again later
    assert second.stdout.rstrip().endswith("another run is measuring on this machine; wait for it")
    first.stdout.read()
    assert first.wait() == 0
    assert len(values(project.results(), COPY)) == 10


def asv_processes(project, task):
    """Whether asv has processes at `task`, a word of asv/benchmark.py's, for `project`."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_text().split("\0")
            if task in words and str(project.path / "benchmarks") in words:
                return True
    return False


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


def test_a_killed_run_leaves_nothing_behind_that_measures(project):
    """Killed while its forkserver idles, which would otherwise wait for ever."""
    words = ["-m", "asv", "run", "--environment=existing:same", *TINY]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [sys.executable, *words]
    with subprocess.Popen(command, cwd=project.path, env=project.environment(), **quiet) as run:
        wait_until(lambda: asv_processes(project, "setup_cache"))
        run.kill()
    wait_until(lambda: not asv_processes(project, "run_server"))
    assert project.run(*TINY).returncode == 0


def test_a_shallow_clone_measures_and_publishes(measured):
    measured.git("add", "-A")
    measured.git("commit", "-qm", "results")
    shallow = measured.path.parent / "shallow"
    measured.git("clone", "-q", "--depth=1", f"file://{measured.path}", str(shallow))
    measured.path = shallow
    done = measured.run(*TINY)
    assert done.returncode == 0, done.stdout
    done = measured.asv("publish")
    assert "Traceback" not in done.stdout
    assert done.returncode == 0, done.stdout


def test_a_fifth_method_is_one_file_and_one_line(project):
    (project.path / "benchmarks/methods/fifth.py").write_text(
        (project.path / "benchmarks/methods/cupy.py").read_text()
    )
    last = '"pycuda": "pycuda",'
    change(project, "benchmarks/methods/__init__.py", last, last + '"fifth": "fifth",')
    assert project.run("--bench", "just-discover").returncode == 0
    benchmarks = json.loads((project.path / "results/benchmarks.json").read_text())
    for operation in "time_new_array", "time_existing_array":
        found = benchmarks[f"host_to_device.HostToDevice.{operation}"]
        assert found["param_names"] == ["method", "memory", "dtype", "nbytes"]
        assert found["params"][0] == [*map(repr, methods.REGISTRY), "'fifth'"]
        assert [len(values) for values in found["params"][1:]] == [2, 5, 7]
        assert found["version"] == "2"
    bench = ("--bench", r"existing_array\('fifth', 'pinned', 'float32', 1024\)")
    done = project.run("--dry-run", *bench, CUDA_VISIBLE_DEVICES="-1")
    assert "1 point is n/a: " in done.stdout
    assert " failed" not in done.stdout
