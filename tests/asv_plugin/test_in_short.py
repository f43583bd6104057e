"""What bench.py shows of asv's log, and how far it is."""

import logging
import types

import asv.runner
import pytest

import scripts.asv_plugin  # noqa: F401 - it replaces
from scripts.asv_plugin import in_short, results
from scripts.setup import progress
from scripts.words.vocabulary import TRANSFERS

TABLE = "======= ====\nmethod\n======= ===="


def shown(*messages):
    """What is left of asv's log when these messages were written to it."""
    short, left = in_short.InShort(), []
    for message in messages:
        record = logging.LogRecord("asv", logging.INFO, "", 0, message, (), None)
        if short.filter(record):
            left.append(record.msg)
    return left


def test_of_what_means_nothing_to_a_reader_nothing_is_left():
    name = "host_to_device.HostToDevice.time_new_array"
    said = shown(
        "Creating environments",
        "Discovering benchmarks",
        "Installing aa0c7153 <main> into virtualenv-py3.11",
        "Running 2 total benchmarks (1 commits * 1 environments * 2 benchmarks)",
        "For NumPy to GPU commit aa0c7153 <main>:",
        "Benchmarking virtualenv-py3.11",
        "Setting up measure:50",
        f"Running ({name}--)",
        "..",
        name,
        "                 ok",
        TABLE,
        "4 processes measured, all the time on a quiet core",
        "Left out: m/a.json: reference.Link.time_link: an older version",
        "Left out: m/b.json: Error parsing JSON",
    )
    assert said == [
        "Making asv's environment in .asv/env, where it is not there yet",
        "Installing the libraries that commit aa0c7153 pins",
        "Measuring",
        "Finding out how fast a quiet core is",
        "4 processes measured, all the time on a quiet core",
        "Left out: m/b.json: Error parsing JSON",
    ]


def test_what_failed_is_named_with_its_reason():
    name, other = "reference.Link.time_link", "reference.HostCopy.time_copy"
    failed = f"{TABLE}\nValueError: the bytes differ"
    said = shown(name, "           1/7 failed", failed, other, "    ok", TABLE, name, " failed")
    assert said == [f"{name}: 1/7 failed", failed, f"{name}: failed"]


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_moves_in_a_terminal_and_is_rare_in_a_file(terminal, capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress.sys.stdout, "isatty", lambda: terminal, raising=False)
    monkeypatch.setenv(in_short.IN_SHORT, "yes")
    far = in_short.Progress()
    far.begin(100)
    name = TRANSFERS["new_array"].benchmark
    sizes = [str(size) for size in range(25)]
    of = {"name": name, "param_names": ["method", "nbytes"], "params": [["'a'", "'b'"], sizes]}
    for _ in range(2):  # processes of each point
        for size in range(25):
            now[0] += 0.5
            far.step(of, size)
            far.step(of, 25 + size)  # another method's, which that process has measured, too
    far.line.end()
    out = capsys.readouterr().out
    parts = out.split("\r") if terminal else out.splitlines()
    said = [part for part in parts if part.strip()]
    assert len(said) == (50 if terminal else 2)  # of 25 seconds
    at = (
        "  50% measured, about 25 s left; 25 s"
        if terminal
        else "  40% measured, about 30 s left; 20 s"
    )
    assert said[-1].rstrip() == at
    assert out.endswith("\r" if terminal else "\n")


@pytest.mark.parametrize(("interleaved", "visits"), [(False, 9), (True, 7)])
def test_asv_says_what_it_is_about_to_measure(interleaved, visits, monkeypatch):
    class Selected(dict):
        benchmark_selection, benchmark_dir = {"one": [0, 2]}, "benchmarks"

    class Started(Exception):
        pass

    def start(*args, **kwargs):
        raise Started

    about = {"timeout": 1, "params": [["1", "2", "3"]]}
    of_methods = {"timeout": 1, "params": [["'torch'", "'cupy'"], ["1024", "8192"]]}
    named = TRANSFERS["new_array"].benchmark
    benchmarks = Selected(
        {
            "one": {**about, "name": "one", "rounds": 2},
            "other": {**about, "name": "other"},
            named: {**of_methods, "name": named, "param_names": ["method", "nbytes"]},
        }
    )
    monkeypatch.setattr(asv.runner, "run_benchmark", start)
    monkeypatch.setattr(in_short.progress, "interleaved", interleaved)
    monkeypatch.setattr(results, "runs", [])
    result = results.RecordedResults(
        {"machine": "m"}, {}, "c0ffee00", 0, "3.12", "existing-py3.12", {}
    )
    environment = types.SimpleNamespace(name="existing-py3.12")
    with pytest.raises(Started):
        asv.runner.run_benchmarks(benchmarks, environment, results=result)
    assert in_short.progress.total == visits
