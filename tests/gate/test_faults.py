"""What would let the gate say "nothing became slower" where it cannot know."""

import re

import pytest
from asv.util import UserError

from scripts.gate import comparable, recording
from tests.conftest import change, fake_driver, has_gpu
from tests.gate.test_gate import CALIBRATE, GATE, SMALL, one_line, recorded
from tests.setup.test_git import SETTINGS

no_gpu = pytest.mark.skipif(has_gpu(), reason="here the real driver would answer")


def test_versions_are_looked_at_whatever_the_users_settings_are(project):
    change(project, "benchmarks/reference.py", 'version = "2"', 'version = "3"')
    for name, value in SETTINGS.items():
        project.git("config", name, value)
    done = project.call(*GATE, "compare", "HEAD~1", "HEAD", *SMALL)
    one_line(done, "is version 2 in", "and 3 in", "their numbers mean different things")
    (project.path / "benchmarks" / "naïve ü.py").write_text("")
    one_line(project.call(*CALIBRATE), "and this is in no commit: benchmarks/naïve ü.py")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("def half(", "cannot be read: "),
        ("\0", "cannot be read: "),
        ("", "has no benchmarks with a version: nothing to go by"),
        ("class Other:\n    version = '1'\n", "have no benchmark in common"),
    ],
)
def test_benchmarks_that_say_no_version_are_not_compared(project, monkeypatch, content, why):
    for path in (project.path / "benchmarks").rglob("*.py"):
        path.unlink()
    (project.path / "benchmarks" / "reference.py").write_text(content)
    project.git("commit", "-qam", "nothing to read")
    commits = project.git("rev-parse", "HEAD~1", "HEAD").split()
    monkeypatch.chdir(project.path)
    with pytest.raises(UserError, match=why):
        comparable.check_commits(*commits)


def test_a_repository_that_git_does_not_read_is_not_taken_for_unchanged(project):
    index = project.path / ".git" / "index"
    index.write_bytes(b"half")
    one_line(project.call(*CALIBRATE), "What differs from HEAD cannot be said: fatal: ")


@no_gpu
def test_a_machine_whose_nvml_is_missing_is_not_one_without_a_gpu(project, tmp_path):
    """Its transfers are what counts; that its host's copies are alike says nothing of them."""
    variables = {**fake_driver(tmp_path, 13000), "STACK": "host"}
    words = *GATE, "calibrate", "--python=same", "--budget=0.02"
    one_line(project.call(*words, **variables), "The budget of 0.02 minutes ended")
    assert [path.name for path in project.path.glob("results/*")] == ["test-gpu"]
    *_, visits = recording.read(recorded(project))
    assert any("HostToDevice" in visit["benchmark"] for visit in visits)
    assert not any("HostCopy" in visit["benchmark"] for visit in visits)


@pytest.mark.slow
@no_gpu
def test_two_commits_are_not_compared_by_the_hosts_copies_where_there_is_a_gpu(project, tmp_path):
    """Slow: the stacks of two commits are installed."""
    project.git("commit", "-q", "--allow-empty", "-m", "next")
    variables = {**fake_driver(tmp_path, 13000), "STACK": "host"}
    done = project.call(*GATE, "compare", "HEAD~1", "HEAD", **variables)
    one_line(done, "Nothing was measured on both sides: ")
    assert not re.search("copy", done.stdout.splitlines()[-1])
