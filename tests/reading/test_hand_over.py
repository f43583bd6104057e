"""What hand_over.py takes from a machine that is not to be trusted, and what it does not."""

import json
import os
import shutil
import socket
import zipfile

import pytest

from scripts.reading import hand_over
from tests import derived
from tests.conftest import VERSION_1

COMMIT = "c0ffee00" * 5
NAME = "c0ffee00-existing-py3.12"
FACTS = {"driver": "580.1"}
RECORDED = VERSION_1 / derived.MACHINE


@pytest.fixture
def results(tmp_path):
    """A folder of recorded results: of one machine, at another commit."""
    folder = tmp_path / "results"
    folder.mkdir()
    shutil.copy(VERSION_1 / "benchmarks.json", folder)
    shutil.copytree(RECORDED, folder / derived.MACHINE)
    return folder


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "measured"
    for machine in derived.MACHINE, "vm":
        derived.result(folder, machine, COMMIT, 1_790_000_000_000, facts=FACTS)
    (folder / "benchmarks.json").unlink()
    return folder


@pytest.fixture
def folder(made_once, tmp_path):
    """What a machine of the recorded one's name, and one of another, hand over."""
    return shutil.copytree(made_once, tmp_path / "measured")


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def edit(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("readable", [False, True])
def test_new_results_are_added_and_nothing_else_changes(folder, results, readable):
    before = content(results)
    for path in folder.rglob("*.json"):
        path.chmod(0o777)
    taken = hand_over.take(folder, COMMIT, results, readable)
    about = f"{derived.MACHINE}/machine.json"  # is there, and says the same
    new = {name: data for name, data in content(folder).items() if name != about}
    assert content(results) == {**before, **new}
    assert {str(path.relative_to(results)) for path in taken} == set(new)
    assert not any(path.stat().st_mode & 0o111 for path in taken)


def test_all_results_that_are_recorded_would_be_taken(tmp_path):
    """No rule here is stricter than what measures."""
    for path in sorted(VERSION_1.glob("*/*-*.json")):
        folder, results = tmp_path / path.stem / "measured", tmp_path / path.stem / "results"
        handed = folder / path.parent.name
        handed.mkdir(parents=True)
        results.mkdir()
        for beside in path.parent.glob(f"{path.stem}.*"):
            shutil.copy(beside, handed)
        shutil.copy(path.parent / "machine.json", handed)
        commit = json.loads(path.read_text())["commit_hash"]
        hand_over.take(folder, commit, results, False)
        assert content(results) == content(folder)


def test_a_folder_without_machine_json_is_of_a_machine_that_is_known(folder, results):
    (folder / derived.MACHINE / "machine.json").unlink()
    assert hand_over.take(folder, COMMIT, results, False)
    (folder / "vm" / "machine.json").unlink()
    shutil.rmtree(folder / derived.MACHINE)
    shutil.rmtree(results / "vm")
    with pytest.raises(hand_over.Refused, match=r"'vm' has no machine\.json"):
        hand_over.take(folder, COMMIT, results, False)


def test_facts_that_a_later_version_knows_do_not_change_those_recorded(folder, results):
    assert "num_gpu" not in json.loads((RECORDED / "machine.json").read_text())
    edit(folder / derived.MACHINE / "machine.json", num_gpu="1")
    hand_over.take(folder, COMMIT, results, False)
    about = (results / derived.MACHINE / "machine.json").read_bytes()
    assert about == (RECORDED / "machine.json").read_bytes()


def replaced(path, make):
    path.unlink()
    make(path)


def bind(path):
    """A socket; by a short path, as its name has little room."""
    with socket.socket(socket.AF_UNIX) as one:
        here = os.getcwd()
        os.chdir(path.parent)
        one.bind(path.name)
        os.chdir(here)


CAPITALS = NAME.replace("existing", "Existing")
DEEP = '{"a":' + "[" * 90_000 + "]" * 90_000 + "}"
# What is done to the results file at p, in the folder of the machine vm, and what is said of it.
FILES = {
    "link": (lambda p: replaced(p, lambda p: p.symlink_to("machine.json")), "plain file"),
    "link out": (lambda p: replaced(p, lambda p: p.symlink_to("/etc/passwd")), "plain file"),
    "hard link": (lambda p: os.link(p, p.parents[2] / "other"), "plain file"),
    "pipe": (lambda p: replaced(p, os.mkfifo), "plain file"),
    "socket": (lambda p: replaced(p, bind), "plain file"),
    "folder": (lambda p: replaced(p, os.mkdir), "plain file"),
    "huge": (lambda p: os.truncate(p, hand_over.LARGEST + 1), "larger than"),
    "many": (lambda p: [p.with_stem(f"{p.stem}{n}").touch() for n in range(20)], "more than 20"),
    "many machines": (lambda p: [(p.parents[1] / f"{n}").mkdir() for n in range(20)], "more than"),
    "link to a folder": (lambda p: (p.parents[1] / "a").symlink_to("vm"), "no machine's folder"),
    "a file above": (lambda p: (p.parents[1] / "benchmarks.json").touch(), "no machine's folder"),
    "attributes": (lambda p: (p.parents[1] / ".gitattributes").touch(), "no machine's folder"),
    "git": (lambda p: p.parent.rename(p.parents[1] / ".git"), "no machine's folder"),
    "a file's name": (lambda p: p.parent.rename(p.parents[1] / "benchmarks.json"), "no result of"),
    "capitals": (lambda p: p.parent.rename(p.parents[1] / derived.MACHINE.upper()), "capitals"),
    "capitals of a file": (lambda p: shutil.copy(p, p.with_stem(CAPITALS)), "capitals only"),
    "deep": (lambda p: p.write_text("[" * 100_000), "is no JSON"),
    "deep and whole": (lambda p: p.write_text(DEEP), "is no JSON|no result of"),
    "digits": (lambda p: edit(p, date=10**400), "holds what no result holds"),
    "more digits": (lambda p: p.write_text("9" * 9000), "is no JSON"),
    "escape": (lambda p: edit(p, python="\x1b[31m"), "holds what no result holds"),
    "long": (lambda p: edit(p, python="x" * 1001), "holds what no result holds"),
    "list": (lambda p: p.write_text("[]"), "holds what no result holds"),
    "bytes": (lambda p: p.write_bytes(b"\xff\xfe{}"), "is no JSON"),
    "lines": (lambda p: p.with_suffix(".noise.jsonl").write_text("{}\n\n{}"), "is no JSON"),
    "commit": (lambda p: edit(p, commit_hash="c0ffee00" + 32 * "1"), "no result of"),
    "machine": (lambda p: edit(p, params={"machine": derived.MACHINE}), "no result of"),
    "params": (lambda p: edit(p, params=None), "no result of"),
    "environment": (lambda p: edit(p, env_name="other"), "no result of"),
    "facts of another": (lambda p: edit(p.with_name("machine.json"), machine="a"), "not of this"),
    "unknown facts": (lambda p: edit(p.with_name("machine.json"), more=""), "not of this"),
    "lists of facts": (lambda p: edit(p.with_name("machine.json"), gpu=[]), "not of this machine"),
    "alone": (lambda p: p.unlink(), "is beside no result"),
    "nothing": (lambda p: [shutil.rmtree(one) for one in p.parents[1].iterdir()], "no result"),
}


@pytest.mark.parametrize("case", FILES)
def test_what_is_no_plain_result_is_refused_with_all_the_rest(folder, results, case):
    do, says = FILES[case]
    do(folder / "vm" / f"{NAME}.json")
    before = content(results)
    with pytest.raises(hand_over.Refused, match=says) as refused:
        hand_over.take(folder, COMMIT, results, False)
    assert str(refused.value).isascii()
    assert str(refused.value).isprintable()
    assert content(results) == before


NAMES = [
    *("..json", ".git", "-", "--help", "README.md", "calibration.jsonl", "benchmarks.json"),
    *(f"{NAME}.json\n", f"\n::set-output name=x::{NAME}.json", f"..\\{NAME}.json", f"{NAME} .json"),
    *(f"{NAME}\u202e.json", f"{NAME}\u0456.json", f"{NAME}\udcff.json", f"{NAME}.JSON"),
    *(f"{NAME}.unfinished.jsonl", f"{NAME}.json.new", f"{NAME}..json", f"{NAME}{200 * 'a'}.json"),
    *("c0ffee0-existing.json", "C0FFEE00-existing.json", "c0ffee00.json", "machine.JSON"),
]


@pytest.mark.parametrize("name", NAMES)
def test_only_names_of_results_are_taken(folder, results, name):
    (folder / "vm" / name).write_text("{}")
    with pytest.raises(hand_over.Refused, match="is no name of a result") as refused:
        hand_over.take(folder, COMMIT, results, False)
    assert str(refused.value).isascii()
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "name", ["a b", "a\nb", "ä", "-a", "a.", ".a", "a:b", "a\\b", "~", 101 * "a"]
)
def test_only_names_of_machines_are_folders(folder, results, name):
    (folder / "vm").rename(folder / name)
    with pytest.raises(hand_over.Refused, match="is no machine's folder"):
        hand_over.take(folder, COMMIT, results, False)


@pytest.mark.parametrize("suffix", ["json", "noise.jsonl", "provenance.jsonl"])
def test_what_is_recorded_stays(folder, results, suffix):
    """Neither other points, nor more of them: whatever is in the file."""
    there = results / derived.MACHINE / f"{NAME}.{suffix}"
    shutil.copy(folder / derived.MACHINE / there.name, there)
    with pytest.raises(hand_over.Refused, match="is recorded already"):
        hand_over.take(folder, COMMIT, results, False)


def test_a_link_in_the_place_of_a_result_is_not_written_through(folder, results, tmp_path):
    (results / derived.MACHINE / f"{NAME}.json").symlink_to(tmp_path / "outside")
    with pytest.raises(hand_over.Refused, match="is recorded already"):
        hand_over.take(folder, COMMIT, results, False)
    (results / "vm").symlink_to(tmp_path)
    shutil.rmtree(folder / derived.MACHINE)
    with pytest.raises(hand_over.Refused, match=r"'vm' is no folder in results/"):
        hand_over.take(folder, COMMIT, results, False)
    assert not (tmp_path / "outside").exists()


def test_the_facts_of_a_machine_stay(folder, results):
    edit(folder / derived.MACHINE / "machine.json", gpu="NVIDIA H100")
    with pytest.raises(hand_over.Refused, match="says another gpu than is recorded"):
        hand_over.take(folder, COMMIT, results, False)


@pytest.mark.parametrize("suffix", ["json", "noise.jsonl", "provenance.jsonl"])
def test_what_cannot_be_read_is_refused(folder, results, suffix):
    path = folder / "vm" / f"{NAME}.{suffix}"
    whole, before = path.read_text(), content(results)
    for wrong in ({"results": {derived.LIKE: 1}}, {"date": 10**17}, {"results": []}):
        data = {**json.loads(whole), **wrong} if suffix == "json" else wrong
        path.write_text(json.dumps(data))
        with pytest.raises(hand_over.Refused, match="cannot be read whole"):
            hand_over.take(folder, COMMIT, results, True)
        assert content(results) == before


def test_a_link_in_an_archive(folder, results, tmp_path):
    """As a tool that knows links would unpack it; the action that is used writes a file instead."""
    about = zipfile.ZipInfo(f"vm/{NAME}.json")
    about.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "measured.zip", "w") as archive:
        archive.writestr(about, "/etc/passwd")
    with zipfile.ZipFile(tmp_path / "measured.zip") as archive:
        archive.extractall(folder)
    with pytest.raises(hand_over.Refused, match="is no JSON"):
        hand_over.take(folder, COMMIT, results, False)
