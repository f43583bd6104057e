"""The gate's file: what a recording is, which calibration is used, and what is none."""

import json
from types import SimpleNamespace

import pytest

from scripts.gate import recording, running
from tests.conftest import ROOT
from tests.gate import simulated


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("change", float("nan")),
        ("change", 31.0),
        ("change", "0"),
        ("seconds", [1e-5, float("nan")]),
        ("seconds", [-1.0, 1e-5]),
        ("seconds", [1e-5, "1"]),
        ("seconds", [1e-5]),
        ("seconds", 1e-5),
        ("sentinel", [0.0, 1e-5]),
        ("unmeasured", [{"skipped": "no cupy"}]),
        ("unmeasured", [{}, {}]),
        ("unmeasured", [{"slow": 1}, {}]),
        ("servers", None),
        ("benchmark", "nothing"),
        ("parameters", []),
        ("parameters", {"method": {"a": 1}}),
        ("round", None),
        ("visit", "0"),
    ],
)
def test_what_no_visit_can_have_measured(tmp_path, name, value):
    path = tmp_path / "recording.jsonl"
    simulated.recorded(path, {}, {})
    visit = {**recording.read(path)[2][-1], name: value}
    if name == "unmeasured":
        del visit["change"]
    with open(path, "a") as file:
        file.write(json.dumps(visit) + "\n")
    with pytest.raises(recording.Broken, match="is no recording"):
        recording.read(path)


def test_half_a_line_is_left_out_at_the_end_alone(tmp_path):
    path = tmp_path / "recording.jsonl"
    simulated.recorded(path, {}, {})
    whole = path.read_text()
    path.write_text(whole + '{"benchmark": "half a li')
    assert len(recording.read(path)[2]) == len(simulated.lines())
    first, _, rest = whole.partition("\n")
    path.write_text(f"{first}\n{rest[:20]}\n")
    with pytest.raises(recording.Broken, match="is no recording"):
        recording.read(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\n", b"null\n", b"[" * 9999 + b"\n", b"{}\n"])
def test_files_that_are_no_recordings(tmp_path, content):
    path = tmp_path / "recording.jsonl"
    path.write_bytes(content)
    with pytest.raises(recording.Broken, match="is no recording"):
        recording.read(path)


def test_a_calibration_of_another_gpu_or_version_is_not_used(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    name, gpu = "reference.Link.time_link", {"gpu uuid hash": "a"}
    path = running.calibration_of("m")
    path.parent.mkdir(parents=True)
    simulated.recorded(path, {name: "2"}, gpu)
    own = "this comparison is judged by its own noise alone"

    def calibrated(versions, facts):
        first = SimpleNamespace(first={"versions": versions})
        return running.calibrated(
            "m", SimpleNamespace(recording=first, conditions=SimpleNamespace(facts=facts))
        )

    visits, (said,) = calibrated({name: "2"}, {"gpu uuid hash": "b"})
    assert (visits, said) == (None, f"{path} was measured on another GPU: {own}")
    visits, (said,) = calibrated({name: "3"}, gpu)
    assert (visits, said) == (None, f"{path} is of another version of the benchmarks: {own}")
    visits, (said,) = calibrated({name: "2"}, gpu)
    assert len(visits) == len(simulated.lines())
    assert said == f"Judged with {path}, aaaaaaaa"


def test_a_calibration_of_version_1_is_refused(monkeypatch):
    """One that was recorded before a visit had several series."""
    old = ROOT / "tests" / "recorded" / "equal-stacks.jsonl"
    first, runs, _ = recording.read(old)
    versions = dict.fromkeys(first["versions"], "2")
    here = SimpleNamespace(
        recording=SimpleNamespace(first={"versions": versions}),
        conditions=SimpleNamespace(facts=runs[-1]["facts"]),
    )
    monkeypatch.setattr(running, "calibration_of", lambda machine: old)
    visits, (said,) = running.calibrated("m", here)
    assert visits is None
    assert "is of another version of the benchmarks: " in said


def test_two_gpus_do_not_mix(tmp_path):
    path = tmp_path / "recording.jsonl"
    simulated.recorded(path, {}, {"gpu uuid hash": "a"})
    run = next(line for line in path.read_text().splitlines() if line.startswith('{"run"'))
    other = run.replace('"hash": "a"', '"hash": "b"').replace('hash": "a"', 'hash": "b"')
    with open(path, "a") as file:
        file.write(other.replace('"started": 1', '"started": 2') + "\n")
    with pytest.raises(recording.Broken, match="was measured on 2 GPUs"):
        recording.read(path)
