"""The tables, on the recorded results of a real GPU."""

import dataclasses
import json
import shutil

import pytest
import table

from tests.conftest import ROOT

RECORDED = "nvidia-h200"


@pytest.fixture(scope="module")
def run():
    return table.newest(table.load(), RECORDED)


def test_rates_are_the_bytes_over_asvs_seconds(run):
    (path,) = ROOT.glob(f"results/{RECORDED}/{run.commit[:8]}-*.json")
    data = json.loads(path.read_text())
    columns = dict(zip(data["result_columns"], data["results"][table.LINK], strict=False))
    assert columns["params"][0][-1] == "268435456"
    seconds = columns["result"][-1]
    assert run.rate(table.LINK, 268435456) == pytest.approx(268435456 / seconds / 1e9)
    assert run.rate(table.EXISTING, "no such method", "pinned", "float32", 1024) is None


def test_the_readme_shows_what_was_recorded(run):
    assert table.markdown(run) in (ROOT / "README.md").read_text()


def test_no_transfer_is_faster_than_the_link(run):
    """More than the ceiling would mean that somebody did not wait; 1 % is the noise."""
    for point in run.seconds:
        if point[0].startswith("host_to_device") and point[2] == "pinned":
            assert run.rate(*point) < 1.01 * run.rate(table.LINK, point[-1]), point


def test_what_was_measured_here_stands_beside_the_recorded(run, capsys):
    copy = (table.COPY, "float32", 1024)
    here = table.Run("here", "c" * 40, 0, 2**62, {copy: 1e-6}, {}, {})
    table.terminal([run, here])
    lines = capsys.readouterr().out.splitlines()
    (row,) = (line.split() for line in lines if line.split()[:2] == ["1", "KiB"])
    assert len(row) == 2 + 4 + 2  # the size, the methods, the link, the host's copy
    assert row[-1] == "1.02"  # 1024 bytes in a microsecond
    assert max(map(len, lines)) <= 80
    assert any("The host copy is what was measured here, on here." in line for line in lines)
    assert any("recorded, not measured here" in line for line in lines)


def test_without_gpu_results_there_is_still_a_table(capsys):
    copy = (table.COPY, "float32", 1024)
    table.terminal([table.Run("here", "c" * 40, 0, 1, {copy: 1e-6}, {}, {})])
    assert "1.02" in capsys.readouterr().out


def test_points_that_were_not_measured_are_not_numbers(run, capsys):
    point = (table.EXISTING, "torch", "pinned", "float32", 1024)
    seconds = {key: value for key, value in run.seconds.items() if key != point}
    part = table.Run(run.machine, run.commit, run.date, run.measured, seconds, run.samples, {})
    assert "| n/a/0.1" in table.markdown(part)


def test_an_unknown_machine_is_one_line(run):
    with pytest.raises(SystemExit, match="no GPU results of a machine called 'nowhere'"):
        table.newest([run], "nowhere")


@pytest.mark.parametrize(
    ("nbytes", "text"), [(512, "512 B"), (1024, "1 KiB"), (4 << 20, "4 MiB"), (1 << 30, "1 GiB")]
)
def test_sizes_are_binary(nbytes, text):
    assert table.size(nbytes) == text


@pytest.mark.parametrize("content", ["", "null", "[]", '{"version": 2}'])
def test_a_broken_file_is_left_out_and_named(tmp_path, capsys, content):
    folder = tmp_path / RECORDED
    shutil.copytree(ROOT / "results" / RECORDED, folder)
    (folder / "01234567-existing-py3.12.json").write_text(content)
    assert len(table.load(tmp_path)) == len(table.load(ROOT / "results" / RECORDED))
    assert "Left out: " in capsys.readouterr().err


def test_a_machine_may_have_any_name(run, capsys):
    table.terminal([dataclasses.replace(run, machine="[/]<b>")])
    assert "[/]<b>" in capsys.readouterr().out
