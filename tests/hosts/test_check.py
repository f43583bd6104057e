"""hosts.py check, with GPUs that a driver of ours makes up (gpus.c), and on a host without any."""

import os
import re
import subprocess
import sys
import time

import pytest

from scripts.hosts import check as hosts_check
from scripts.hosts import schema, workers
from scripts.hosts.kinds import ALONE, AT_ONCE, HOST_COPIES, TRANSFERS
from tests.conftest import ROOT, has_gpu

FEW = "from scripts.hosts import check; check.ROUNDS = 6; check.ENOUGH = 6"
MAIN = "from scripts.hosts import answer; from pathlib import Path; import sys"
CALL = f"{FEW}; {MAIN}; sys.exit(answer.check(check.check('node7'), Path(sys.argv[1])))"

without_gpu = pytest.mark.skipif(has_gpu(), reason="this machine has a GPU")


def driver(folder, gpus=2, slow=-1, lost=-1, wrong=-1):
    """Variables with which programs find so many GPUs."""
    library = folder / "libcuda.so.1"
    defined = [f"-DGPUS={gpus}", f"-DSLOW={slow}", f"-DLOST={lost}", f"-DWRONG={wrong}"]
    source = ROOT / "tests" / "hosts" / "gpus.c"
    subprocess.run(["gcc", "-shared", "-fPIC", *defined, "-o", library, source], check=True)
    return {"LD_LIBRARY_PATH": str(folder)}


def check(tmp_path, variables=None, **faults):
    """The command's process, and the lines that it wrote, of six rounds on a host of such GPUs."""
    ours = {**driver(tmp_path, **faults), "PYTHONPATH": str(ROOT), **(variables or {})}
    done = subprocess.run(
        [sys.executable, "-c", CALL, tmp_path / "host.jsonl"],
        env={**os.environ, **ours},
        capture_output=True,
        text=True,
    )
    lines, left_out = schema.read([tmp_path / "host.jsonl"])
    assert left_out == []
    return done, lines


@without_gpu
def test_every_gpu_is_measured_alone_and_with_the_others(tmp_path):
    for attempt in "first", "second", "third":  # a made-up GPU is slow where a core is busy
        folder = tmp_path / attempt
        folder.mkdir()
        done, lines = check(folder)
        if done.returncode == 0:
            break
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.pci for line in lines] == ["0000:00:00.0", "0000:01:00.0"]
    assert len({line.uuid_hash for line in lines}) == 2
    for line in lines:
        assert set(line.measured) == {
            one.kind(when) for one in TRANSFERS for when in (ALONE, AT_ONCE)
        }
        assert {len(one.rounds) for one in line.measured.values()} == {6}
        assert (line.host, line.verdict, line.reason) == ("node7", "as expected", "as 1 sibling")
        assert 4 < line.measured["to device, pinned, 64 MiB, alone"].gb_per_s < 6.5
    assert "as expected: 0000:00:00.0: as 1 sibling" in done.stdout


@without_gpu
def test_the_slow_one_is_named(tmp_path):
    done, lines = check(tmp_path, slow=1)
    assert done.returncode == 1
    assert [line.verdict for line in lines] == ["as expected", "slow"]
    reason = done.stdout.splitlines()[-1]
    assert reason.startswith("slow: 0000:01:00.0: ")
    assert "% against its siblings: " in reason


@without_gpu
def test_a_gpu_that_is_lost_in_mid_check(tmp_path):
    done, lines = check(tmp_path, gpus=3, lost=2)
    assert done.returncode == 2
    assert [line.verdict for line in lines] == ["as expected", "as expected", "cannot say"]
    assert lines[2].measured == {}
    said = "failed in mid-check: CUDA driver: unspecified launch failure (error 719)"
    assert lines[2].reason == said
    assert done.stderr == f"cannot say: 0000:02:00.0: {said}\n"


@without_gpu
def test_bytes_that_do_not_arrive(tmp_path):
    done, lines = check(tmp_path, wrong=0)
    assert done.returncode == 2
    assert lines[0].measured == {}
    said = r"failed in mid-check: wrong bytes arrived: [1-8] of 65536"  # by chance some are right
    assert re.fullmatch(said, lines[0].reason)


@without_gpu
def test_a_gpu_that_does_not_answer_any_more():
    """The others go on, and why it is lost is said."""
    with workers.started(["", ""]) as working:
        assert working[0].answer(0) == {}
        assert working[0].lost == "it does not answer any more"
        copies = [("host copy", "pageable", 1024)]
        working[1].tell("prepare", transfers=copies)
        assert working[1].answer(time.perf_counter() + 30) == {"pci": ""}
        (answer,) = workers.sample(working[1:], 0)
        assert answer["seconds"] > 0
        working[1].tell("nothing that it knows")
        assert working[1].answer(time.perf_counter() + 30) == {}
        assert "no attribute" in working[1].lost or "process ended (1: " in working[1].lost


@pytest.mark.parametrize(("quiet", "busy"), [(3, hosts_check.ROUNDS), (4, 0), (8, 0)])
def test_a_round_is_busy_if_the_core_was_in_most_of_its_transfers(quiet, busy, monkeypatch):
    """Of the eight of one GPU alone, so many on a quiet core in each round."""

    def sample(which, transfer):
        return [{"seconds": 1e-3, "quiet": transfer < quiet} for _ in which]

    monkeypatch.setattr(workers, "sample", sample)
    assert len(TRANSFERS) == 8
    assert hosts_check.rounds([object()], TRANSFERS)[1] == [busy]


@without_gpu
def test_only_what_is_visible_is_measured(tmp_path):
    done, lines = check(tmp_path, {"CUDA_VISIBLE_DEVICES": "1"})
    assert done.returncode == 2
    assert [line.pci for line in lines] == ["0000:01:00.0"]
    assert {kind.rpartition(", ")[2] for kind in lines[0].measured} == {ALONE}
    assert "nothing to hold it against" in done.stderr


@pytest.mark.gpu
def test_on_a_gpu_the_verdict_is_twice_the_same(tmp_path):
    """In at most 60 s for two GPUs and 120 s for eight; the rounds show that all GPUs took part."""
    command = [sys.executable, ROOT / "scripts" / "hosts.py", "check", "--json", "host.jsonl"]
    verdicts = []
    for _ in range(2):
        start = time.perf_counter()
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        spent = time.perf_counter() - start
        lines, left_out = schema.read([tmp_path / "host.jsonl"])
        assert left_out == []
        assert spent < 40 + 10 * len(lines)
        times = (ALONE, AT_ONCE) if len(lines) > 1 else (ALONE,)
        wanted = {one.kind(when) for one in TRANSFERS for when in times}
        assert all(set(line.measured) == wanted for line in lines), done.stderr
        assert all(line.gpu and line.pci and line.uuid_hash for line in lines)
        verdicts.append([(line.pci, line.verdict) for line in lines])
    assert verdicts[0] == verdicts[1]


@without_gpu
def test_a_host_without_a_gpu_says_so_and_has_a_line(tmp_path):
    command = [sys.executable, ROOT / "scripts" / "hosts.py", "check", "--json", "host.jsonl"]
    environment = {**os.environ, "SLURMD_NODENAME": "node3"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("cannot say: node3: no GPU: there is no NVIDIA driver, or no device\n")
    ((line,), _) = schema.read([tmp_path / "host.jsonl"])
    assert (line.host, line.gpu, line.verdict) == ("node3", None, "cannot say")
    assert set(line.measured) == {one.kind(ALONE) for one in HOST_COPIES}
