"""hosts.py rank: lines of many hosts, and what is wrong with such lines."""

import subprocess
import sys
from pathlib import Path

import msgspec
import numpy
import pytest

from scripts.hosts import answer, schema
from scripts.reading.links import Link
from tests.conftest import ROOT
from tests.hosts import made_up

HALF = numpy.where(made_up.LARGE_ONES, numpy.log(0.5), 0)


@pytest.fixture
def rank(tmp_path, monkeypatch, capsys):
    """Rank these lines as the command does; the code, stdout and stderr."""

    def ranked(lines, raw=b"", expected=None):
        monkeypatch.chdir(tmp_path)
        Path("all.jsonl").write_bytes(schema.written(lines) + raw)
        files = [Path("all.jsonl")]
        code = answer.rank(files, expected, Path("table.md"), Path("drain"))
        return code, *capsys.readouterr()

    return ranked


def healthy(hosts=100, seed=1, **more):
    return made_up.values(numpy.random.default_rng(seed), hosts, **more)


def planted():
    """A fleet with four slow GPUs, and what is recorded of three of them."""
    rows = healthy()
    rows[[17, 100, 260, 500]] += HALF
    lines = made_up.lines(rows)
    lines[17].link = Link(5, 8)
    lines[100].link = Link(4, 16)
    lines[260].replays = 3, 12
    return lines


def test_planted_faults_are_named_with_their_causes_and_nobody_else(rank):
    code, out, err = rank(planted())
    assert code == 1, err
    assert sorted(Path("drain").read_text().split()) == [
        *("host002", "host012", "host032", "host062"),
    ]
    cells = [line.strip("| ").split(" | ") for line in Path("table.md").read_text().splitlines()]
    causes = {cell[0]: cell[5] for cell in cells if len(cell) == 6 and cell[5] not in ("-", "---")}
    assert causes == {
        "host": "probable cause",
        "host002": "link x8, can do x16",
        "host012": "link Gen4, can do Gen5",
        "host032": "9 PCIe replays meanwhile",
        "host062": "no cause recorded",
    }
    assert "4 of 100 hosts named" in out
    assert "probability of 4e-06" in out


def test_a_healthy_fleet(rank):
    code, out, err = rank(made_up.lines(healthy()))
    assert (code, err) == (0, "")
    assert "None of 100 hosts is slow" in out
    assert Path("drain").read_text() == ""


def test_a_card_that_ages_is_named(rank):
    """3 % slower than it was, and no slower than others are: only its own history tells."""
    rows, rng = healthy(), numpy.random.default_rng(4)
    rows[500] = rows.mean(axis=0) + 0.01
    lines = []
    for month in range(3):
        again = rows + rng.normal(0, 0.003, rows.shape)
        again[500] -= 0.03 * (month == 2)
        lines += made_up.lines(again, time=1_800_000_000_000 + month * 2_600_000_000)
    code, out, _ = rank(lines)
    assert code == 1
    assert Path("drain").read_text() == "host062\n"
    assert "aged: -" in out


def test_a_driver_that_slows_all_is_no_age(rank):
    rows, rng = healthy(), numpy.random.default_rng(4)
    after = rows - 0.1 + rng.normal(0, 0.003, rows.shape)
    lines = made_up.lines(rows) + made_up.lines(after, time=1_800_000_900_000)
    assert rank(lines)[0] == 0


BROKEN = {
    "broken": (b'{"version": 1, "host": "no', "all.jsonl:801: broken"),
    "other version": (b'{"version": 7}\n', "all.jsonl:801: of version 7, not 1"),
    "no line": (b"[1]\n", "all.jsonl:801: no line of a GPU"),
    "deep": (b"[" * 100_000 + b"\n", "all.jsonl:801: broken: "),
    "binary": (b"\xff\xfe\x00\n", "all.jsonl:801: broken"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_line_that_is_none_is_named_and_the_others_are_ranked(rank, name):
    raw, said = BROKEN[name]
    code, out, err = rank(made_up.lines(healthy()), raw=raw)
    assert code == 2
    assert err.startswith(said)
    assert err.count("\n") == 1
    assert "None of 100 hosts is slow" in out
    assert rank(planted(), raw=raw)[0] == 1


def of(hosts, **more):
    return made_up.lines(healthy(hosts), **more)


NOTHING = {
    "empty": ([], "all.jsonl: empty"),
    "one host": (of(1), "made-up GPU: 1 host is no fleet"),
    "two hosts": (of(2), "made-up GPU: 2 hosts are no fleet"),
    "too few": (made_up.lines(healthy(3, gpus=1), gpus=1), "3 GPUs are too few"),
}


@pytest.mark.parametrize("name", NOTHING)
def test_where_nothing_can_be_said(rank, name):
    lines, said = NOTHING[name]
    code, out, err = rank(lines)
    assert code == 2
    assert said in err
    assert err.count("\n") == 2
    assert "slow" not in out


def test_models_are_ranked_apart(rank):
    slower = made_up.lines(healthy(seed=2) - 0.7, name="another made-up GPU")
    code, _, err = rank(made_up.lines(healthy()) + slower)
    assert code == 0
    assert "800 of made-up GPU and 800 of another made-up GPU" in err


def test_the_same_line_twice_counts_once(rank):
    lines = made_up.lines(healthy())
    code, _, err = rank([*lines, lines[4]])
    assert code == 0
    assert err == f"{lines[4]}: the same GPU twice at one time; the first line counts\n"


def test_a_host_that_did_not_answer_is_named_and_not_healthy(rank, tmp_path):
    expected = tmp_path / "expected"
    expected.write_text("host000\nhost777\n")
    code, _, err = rank(made_up.lines(healthy()), expected=expected)
    assert (code, err) == (2, "1 host did not answer: host777\n")


def test_a_gpu_that_was_lost_is_named_and_not_healthy(rank):
    lines = made_up.lines(healthy())
    lost = msgspec.structs.replace(
        lines[9], measured={}, verdict="cannot say", reason="the GPU was lost"
    )
    code, _, err = rank([*lines[:9], lost, *lines[10:]])
    assert (code, err) == (2, f"{lost}: the GPU was lost\n")


def test_a_host_s_name_does_nothing_to_the_terminal(rank):
    lines = made_up.lines(healthy())
    lines[0].host = "\x1b[31mred"
    _, out, err = rank([*lines, lines[0]])
    assert "red" in err
    assert "\x1b" not in out + err


def test_the_command(tmp_path):
    (tmp_path / "all.jsonl").write_bytes(schema.written(planted()))

    def call(*words):
        command = [sys.executable, ROOT / "scripts" / "hosts.py", "rank", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    done = call("all.jsonl", "--drain", "drain", "--markdown", "table.md")
    assert (done.returncode, done.stderr) == (1, "")
    assert "host002" in (tmp_path / "drain").read_text()
    done = call("none.jsonl")
    assert done.returncode == 2
    assert done.stderr == "Cannot say: [Errno 2] No such file or directory: 'none.jsonl'\n"
    before = (tmp_path / "all.jsonl").read_bytes()
    (tmp_path / "hosts").write_text("host001\n")
    for words in (
        ["--drain", "all.jsonl", "all.jsonl"],  # of --drain *.jsonl
        ["all.jsonl", "--markdown", "all.jsonl"],
        ["all.jsonl", "--expected", "hosts", "--drain", "hosts"],
    ):
        done = call(*words)
        assert done.returncode == 2
        assert "is not written over" in done.stderr
    assert (tmp_path / "all.jsonl").read_bytes() == before
    assert (tmp_path / "hosts").read_text() == "host001\n"
