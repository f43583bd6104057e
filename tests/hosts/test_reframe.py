"""ReFrame runs the check as a test of its own, here with its `local` scheduler."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.hosts import schema
from tests.conftest import ROOT
from tests.hosts.test_check import driver, without_gpu

pytest.importorskip("reframe")
TEST = ROOT / "scripts" / "hosts" / "reframe_test.py"


def reframe(tmp_path, *words, **variables):
    command = [
        Path(sys.executable).with_name("reframe"),
        "-c",
        TEST,
        "-r",
        f"--prefix={tmp_path}",
        *words,
    ]
    path = variables.pop("PATH", os.environ["PATH"])
    ours = {"PATH": f"{Path(sys.executable).parent}:{path}", "HOME": str(tmp_path)}
    ours["RFM_REPORT_FILE"] = str(tmp_path / "report.json")
    return subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, **ours, **variables},
        capture_output=True,
        text=True,
    )


@without_gpu
def test_a_node_as_expected_passes_with_its_rates(tmp_path):
    done = reframe(tmp_path, "--performance-report", **driver(tmp_path, gpus=2))
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout.lower() or "PASSED" in done.stdout
    (path,) = (tmp_path / "output").rglob("host.jsonl")
    lines, _ = schema.read([path])
    assert [line.verdict for line in lines] == ["as expected"] * 2
    (run,) = json.loads((tmp_path / "report.json").read_text())["runs"]
    (case,) = run["testcases"]
    rates = {key.split(":")[-1]: value[0] for key, value in case["perfvalues"].items()}
    kind = "to device, pinned, 64 MiB, at once"
    assert rates[f"GPU 1, {kind}"] == lines[1].measured[kind].gb_per_s


@without_gpu
def test_a_slow_node_fails_with_the_reason(tmp_path):
    done = reframe(tmp_path, **driver(tmp_path, gpus=2, slow=1))
    assert done.returncode == 1
    assert "0000:01:00.0 slow: to " in done.stdout
    (path,) = (tmp_path / "stage").rglob("host.jsonl")
    assert [line.verdict for line in schema.read([path])[0]] == ["as expected", "slow"]
