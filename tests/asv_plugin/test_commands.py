"""asv's other commands, as its users know them, on a machine with no GPU."""

import re

import pytest

from scripts.asv_plugin.replaced import REPLACED
from tests.asv_plugin.test_suite import COPY, values
from tests.conftest import TINY, change, has_gpu

POINT = rf"{COPY}\('float32', 1024\)"


def without_traceback(done, code=0):
    assert "Traceback" not in done.stdout
    assert done.returncode == code, done.stdout
    return done.stdout


def test_a_dry_run_changes_no_file_and_says_so(measured):
    change(measured, "README.md", "NumPy", "NumPy ")  # a commit that nothing was measured at
    measured.git("add", "-A")
    measured.git("commit", "-qm", "results")
    said = without_traceback(measured.run("--dry-run", *TINY))
    assert "A dry run: nothing is recorded" in said
    assert "processes measured" in said
    assert measured.git("status", "--porcelain") == ""


def test_what_changed_is_looked_at_without_recording(measured):
    """Not committed: a result would belong to no commit."""
    path = measured.path / "benchmarks" / "reference.py"
    path.write_text(path.read_text() + "\n# not committed\n")
    measured.git("add", "results")
    measured.git("commit", "-qm", "results")
    without_traceback(measured.run("--dry-run", *TINY))
    assert measured.git("status", "--porcelain") == "M benchmarks/reference.py"


def test_a_point_is_profiled(measured):
    said = without_traceback(measured.asv("profile", "-E", "existing:same", POINT))
    assert "cumtime" in said
    assert "reference.py" in said


def test_a_regression_is_found(project):
    """`asv find` bisects: with an existing Python, whose results are all alike, it ends."""
    for number in range(4):
        project.git("commit", "-q", "--allow-empty", "-m", str(number))
    done = project.asv("find", "-E", "existing:same", "HEAD~4..HEAD", POINT)
    assert "Greatest regression found: " in without_traceback(done)
    found = list(project.path.glob("results/*/*-existing-*.json"))
    assert len(found) >= 2
    for path in found:
        assert len(values(path, COPY)) == 1


def test_results_are_shown_and_compared(measured):
    (commit,) = measured.git("rev-parse", "HEAD").split()
    shown = without_traceback(measured.asv("show", commit))
    assert re.search(r"float32 +1024 +\d", shown)
    measured.git("commit", "-q", "--allow-empty", "-m", "next")
    without_traceback(measured.run(*TINY))
    compared = without_traceback(measured.asv("compare", commit, "HEAD"))
    assert re.search(rf"{COPY}\('float32', 1024\)", compared)


@pytest.mark.parametrize("words", [("check", "-E", "existing:same"), ("setup", "--help")])
def test_commands_that_measure_nothing(project, words):
    without_traceback(project.asv(*words))


def test_a_result_is_removed(measured):
    commit = measured.git("rev-parse", "HEAD")
    without_traceback(measured.asv("rm", "-y", f"commit_hash={commit}"))
    assert not list(measured.path.glob(f"results/*/{commit[:8]}-*.json"))
    without_traceback(measured.asv("publish"))


def test_a_result_that_changes_while_a_run_measures_is_not_overwritten(measured):
    """By `asv rm`, say, which asks for no lock; what was measured is kept for the next run."""
    path = measured.results()
    change(
        measured,
        "benchmarks/reference.py",
        "    source, target = numpy.empty",
        f"    open({str(path)!r}, 'a').write(' ')\n    source, target = numpy.empty",
    )
    commit = path.name.partition("-")[0]
    done = measured.asv("run", "-E", "existing:same", f"--set-commit-hash={commit}", *TINY)
    said = without_traceback(done, code=1)
    assert "was changed while this run measured, and stays so" in said.splitlines()[-1]
    assert path.read_text().endswith("} ") or path.read_text().endswith("  ")


@pytest.mark.slow
@pytest.mark.skipif(has_gpu(), reason="another stack would be installed here")
def test_two_commits_are_compared_continuously(project):
    project.git("commit", "-q", "--allow-empty", "-m", "next")
    done = project.asv("continuous", "HEAD~1", "HEAD", "--bench", POINT, "--factor", "100")
    assert "BENCHMARKS NOT SIGNIFICANTLY CHANGED" in without_traceback(done)


def test_each_replacement_says_what_breaks_without_it():
    import scripts.asv_plugin  # noqa: F401 - which fills it

    assert all(len(reason) > 20 for reason in REPLACED.values())
    assert len(REPLACED) <= 9
