"""Where asv runs, and what befalls it there: other runs, git's hooks, homes, full disks, kills."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from scripts.asv_plugin.running import BUSY
from scripts.recording import lock, provenance
from tests.asv_plugin.test_suite import (
    COPY,
    processes,
    start,
    values,
    wait_for_processes,
    wait_until,
)
from tests.conftest import TINY, fake_driver, has_gpu, new_project
from tests.setup.test_git import SETTINGS

ASV = sys.executable, "-m", "asv"
SAME = "--environment", "existing:same"
UINT8 = "--bench", r"HostCopy.*'uint8', 1024\)"
OWN_STACK = pytest.mark.skipif(has_gpu(), reason="another stack would be installed here")


def can(*words):
    """Whether this machine lets us run `words`, as root elsewhere does."""
    return subprocess.run([*words, "true"], stderr=subprocess.DEVNULL).returncode == 0


def one_line(done, text):
    """It failed, and its last line has `text` and is all that is said of it."""
    assert done.returncode not in (0, None), done.stdout
    assert "Traceback" not in done.stdout
    assert text in done.stdout.splitlines()[-1]


# Another run ------------------------------------------------------------------------------------

OTHER_HOME = ("env", "HOME=/tmp")
OTHER_NETWORK = ("unshare", "-n")


@pytest.mark.parametrize(
    "apart",
    [
        pytest.param(OTHER_HOME, id="home"),
        pytest.param(OTHER_NETWORK, id="network", marks=pytest.mark.slow),  # slow: three runs
    ],
)
def test_two_runs_that_cannot_see_each_other_mix_no_results(project, apart):
    """They may be in two containers, of two users, or on two nodes with one disk."""
    if not can(*apart):
        pytest.skip("no such thing can be made here")
    first = start(project, "--bench", r"HostCopy.*'float32', (1024|8192|65536)\)")
    second = project.call(*apart, *ASV, "run", *SAME, *UINT8)
    assert second.returncode == BUSY
    last = second.stdout.splitlines()[-1]
    assert re.search(r"another run is measuring into results/\S+\.json; wait for it$", last)
    assert "%] ··· reference.HostCopy" not in second.stdout  # it measured nothing
    assert first.poll() is None
    first.communicate()
    assert first.returncode == 0
    assert project.call(*apart, *ASV, "run", *SAME, *UINT8).returncode == 0
    points = {(dtype, nbytes) for dtype, nbytes in values(project.results(), COPY)}
    assert points == {("float32", 1 << 10), ("float32", 8 << 10), ("float32", 64 << 10)} | {
        ("uint8", 1 << 10)
    }
    assert all(processes(project.results(), COPY, *point) == [25, 25] for point in points)
    assert len(provenance.load(provenance.path_beside(project.results()))) == 2
    assert not list(project.path.glob("results/*/*.lock"))


@pytest.mark.slow
def test_two_runs_of_two_commits_at_once_both_keep_theirs(project):
    """Slow, and it measures beside itself, so that others are measured worse."""
    project.git("commit", "-q", "--allow-empty", "-m", "next")
    first = start(project, *TINY, "--set-commit-hash=HEAD~1")
    second = project.call(*OTHER_HOME, *ASV, "run", *SAME, *TINY)
    first.communicate()
    assert (first.returncode, second.returncode) == (0, 0), second.stdout
    found = [path for path in project.path.glob("results/*/*-existing-py3*.json")]
    assert len(found) == 2
    assert all(len(values(path, COPY)) == 1 for path in found)


def test_a_file_system_without_locks_is_not_another_run(tmp_path, monkeypatch):
    """What was changed meanwhile is then seen when the results are saved."""

    def lockf(*_):
        raise OSError(37, "No locks available")

    with monkeypatch.context() as without:
        without.setattr(lock.fcntl, "lockf", lockf)
        lock.release(tmp_path / "file", lock.hold(tmp_path / "file"))
    assert list(tmp_path.iterdir()) == []


def test_while_another_run_measures_what_is_recorded_is_shown(measured):
    measured.git("add", "-A")
    measured.git("commit", "-qm", "results")
    before = measured.results().read_bytes()
    first = start(measured, "--bench", "HostCopy")
    done = measured.call(sys.executable, "scripts/bench.py", "--python=same", "--", *TINY)
    first.kill()
    first.communicate()
    assert done.returncode == BUSY
    assert "another run is measuring on this machine; wait for it" in done.stdout
    assert "The numbers, as tables, and more answers: python3 scripts/compare.py" in done.stdout
    assert "Traceback" not in done.stdout
    assert measured.results().read_bytes() == before


def test_a_preview_says_the_address_that_it_has(project):
    """The port that it asks for first may be taken."""
    site = project.path / ".asv" / "html"
    site.mkdir(parents=True)
    (site / "index.html").write_text("ours")
    with socket.socket() as taken:
        ours = False
        with contextlib.suppress(OSError):  # another test may have it, and may give it back
            taken.bind(("127.0.0.1", 8080))
            taken.listen()
            ours = True
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        variables = {"cwd": project.path, "env": project.environment(PYTHONUNBUFFERED="1")}
        with subprocess.Popen([*ASV, "preview"], **variables, **pipe) as preview:
            try:
                address = re.search(r"http://127\.0\.0\.1:(\d+)/", preview.stdout.readline())
                with urllib.request.urlopen(address[0], timeout=20) as page:
                    assert page.read() == b"ours"
            finally:
                preview.kill()
    assert int(address[1]) != 8080 or not ours


# A stack of its own ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    """A linked worktree, on a branch of its own, whose commits are measured by a hook of git's,
    with asv's own environment."""
    project = new_project(tmp_path_factory.mktemp("linked"))
    main = project.path
    hook = main / ".git" / "hooks" / "post-commit"
    words = " ".join(f'"{word}"' for word in (*ASV, "run", "HEAD^!", *TINY))
    hook.write_text(f"#!/bin/sh\nenv | grep ^GIT_ >../hook\n{words} >../said 2>&1\n")
    project.git("worktree", "add", "-qb", "topic", "../worktree")
    project.main, project.path = main, main.with_name("worktree")
    hook.chmod(0o755)
    as_user(project, "commit", "-q", "--allow-empty", "-m", "measured by the hook")
    hook.unlink()
    return project


def as_user(project, *words):
    """git with no settings of ours, which would keep it from calling hooks."""
    who = {
        f"GIT_{who}_{what}": "test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    done = project.call("git", *words, GIT_CONFIG_COUNT="0", **who)
    assert done.returncode == 0, done.stdout
    return done.stdout


def state(project):
    """Both work trees' HEAD, index and files, and all branches."""
    asked = (
        ("symbolic-ref", "HEAD"),
        ("for-each-ref", "refs/heads"),
        ("ls-files", "--stage"),
        ("status", "--porcelain", "--", ":!results"),
        ("config", "--list"),
    )
    places = str(project.path), str(project.main)
    return [project.git("-C", place, *words) for place in places for words in asked]


def measured_commits(project):
    return {path.name[:8] for path in project.path.glob("results/*/*-virtualenv-py3*.json")}


@OWN_STACK
def test_a_hook_in_a_linked_worktree_leaves_it_as_it_is(linked):
    variables = (linked.path.parent / "hook").read_text()
    assert f"GIT_DIR={linked.main}/.git/worktrees/worktree" in variables
    assert "GIT_INDEX_FILE=" in variables
    said = (linked.path.parent / "said").read_text()
    assert "Recorded in results/" in said, said
    assert linked.git("symbolic-ref", "HEAD") == "refs/heads/topic"
    assert linked.git("-C", str(linked.main), "symbolic-ref", "HEAD") == "refs/heads/main"
    assert linked.git("log", "--format=%s", "main..topic") == "measured by the hook"
    assert linked.git("status", "--porcelain", "--", ":!results") == ""
    assert linked.git("rev-parse", "HEAD")[:8] in measured_commits(linked)


# Slow: a run each; as the hook, they set what git hands on, and the others tell that it is dropped.
SLOW_WAYS = [pytest.param(way, marks=pytest.mark.slow) for way in ("alias", "variables")]


@OWN_STACK
@pytest.mark.parametrize("way", ["bisect", "rebase", *SLOW_WAYS])
def test_a_run_that_git_starts_leaves_the_users_branch_as_it_is(linked, way):
    for number in range(3):
        linked.git("commit", "-q", "--allow-empty", "-m", f"{way} {number}")
    asv = " ".join(f'"{word}"' for word in (*ASV, "run", "HEAD^!", *TINY))
    (linked.path.parent / "run").write_text(f"#!/bin/sh\nexec {asv}\n")
    run = f"sh {linked.path.parent}/run"
    head = linked.git("rev-parse", "HEAD")
    if way == "alias":
        linked.git("config", "alias.measure", f"!{run}")
    before = state(linked)
    if way == "alias":
        as_user(linked, "measure")
    elif way == "bisect":
        linked.git("bisect", "start", "HEAD", "HEAD~2")
        head = linked.git("rev-parse", "HEAD")
        assert "is the first bad commit" in as_user(linked, "bisect", "run", *run.split())
        linked.git("bisect", "reset")
    elif way == "rebase":
        as_user(linked, "rebase", "-q", "--exec", run, "HEAD~1")
    else:
        folder = linked.git("rev-parse", "--absolute-git-dir")
        hook = {"GIT_DIR": folder, "GIT_INDEX_FILE": f"{folder}/index"}
        done = linked.call("sh", "-c", run, **hook, GIT_WORK_TREE=str(linked.path))
        assert done.returncode == 0, done.stdout
    assert state(linked) == before
    assert head[:8] in measured_commits(linked)


@pytest.fixture
def lent(linked, project):
    """`project`, with the environment that is installed already in the place of its own."""
    (project.path / ".asv").mkdir()
    (project.path / ".asv" / "env").symlink_to(linked.path / ".asv" / "env")
    for path in (linked.path / ".asv" / "env").glob("*/project"):
        shutil.rmtree(path)  # a clone of the other one
    return project


@OWN_STACK
def test_a_clone_without_files_measures_what_it_can_fetch(lent):
    pins = lent.path / "requirements" / "host.txt"
    for number in range(2):
        pins.write_text(f"# {number}\n{pins.read_text()}")
        lent.git("commit", "-qam", f"pins {number}")
    for name in "allowFilter", "allowAnySHA1InWant":
        lent.git("config", f"uploadpack.{name}", "true")
    origin, lent.path = lent.path, lent.path.with_name("partial")
    filtered = "--filter=blob:none", f"file://{origin}", str(lent.path)
    lent.path.mkdir()
    lent.git("clone", "-q", *filtered)
    (origin / ".asv").rename(lent.path / ".asv")
    done = lent.asv("run", "HEAD~1^!", *TINY)
    assert done.returncode == 0, done.stdout
    assert processes(lent.results(), COPY, "float32", 1024) == [25, 25]
    origin.rename(origin.with_name("gone"))
    done = lent.asv("run", "HEAD~2^!", *TINY)
    one_line(done, f"The files of {lent.git('rev-parse', 'HEAD~2')[:8]} cannot be had: fatal: ")


@OWN_STACK
@pytest.mark.parametrize(
    "full",
    [".asv", pytest.param("TMPDIR", marks=pytest.mark.slow)],  # slow: it measures in spite of it
)
def test_a_full_disk_is_one_line_or_does_no_harm(lent, full, tmp_path):
    here = lent.path / ".asv" if full == ".asv" else tmp_path / "temporary"
    here.mkdir(exist_ok=True)
    fill = f"head -c 99999999 /dev/zero >{here}/all 2>/dev/null; " if full == "TMPDIR" else ""
    mount = f"mount -t tmpfs -o size=64k none {here} && {{ {fill}:; }} && "
    mounted = "unshare", "-m", "sh", "-c", mount + 'exec "$@"', "sh"
    if not can(*mounted):
        pytest.skip("no disk can be mounted here")
    done = lent.call(*mounted, *ASV, "run", "HEAD^!", *TINY, TMPDIR=str(tmp_path / "temporary"))
    if full == "TMPDIR":
        assert done.returncode == 0, done.stdout
    else:
        one_line(done, "No space left on device")
        assert done.stdout.count("No space left on device") == 1


def test_a_users_settings_of_git_change_no_site(measured):
    for number in range(9):
        measured.git("tag", f"v{number}")
    for name, value in SETTINGS.items():
        measured.git("config", name, value)
    done = measured.asv("publish")
    assert done.returncode == 0, done.stdout
    index = json.loads((measured.path / ".asv" / "html" / "index.json").read_text())
    assert index["tags"].keys() == {f"v{number}" for number in range(9)}
    assert list(index["revision_to_hash"].values()) == [measured.git("rev-parse", "HEAD")]


# Homes and folders -------------------------------------------------------------------------------


NOBODY = "unshare", "--user", "--map-user=4242", "--map-group=4242"


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(("env", "HOME=/proc"), id="read-only"),
        pytest.param(NOBODY, id="no entry"),
        # Slow: a run each, between the other two.
        pytest.param(("env", "-u", "HOME"), id="unset", marks=pytest.mark.slow),
        pytest.param(("env", "HOME=/"), id="root", marks=pytest.mark.slow),
    ],
)
def test_nothing_need_be_in_a_home(project, before):
    if before == NOBODY:
        if not can(*NOBODY):
            pytest.skip("no user without an entry can be had here")
        before = *NOBODY, "env", "-u", "HOME"
    ours = {path.name for path in Path("/").iterdir()}
    done = project.call(*before, *ASV, "run", *SAME, *TINY)
    assert done.returncode == 0, done.stdout
    assert processes(project.results(), COPY, "float32", 1024) == [25, 25]
    new = project.git("status", "--porcelain", "--", ":!results")
    assert new == ""
    assert not (project.path / "~").exists()
    assert {path.name for path in Path("/").iterdir()} == ours


@pytest.mark.slow
@OWN_STACK
@pytest.mark.parametrize("home", ["/proc", None])
def test_an_environment_is_made_without_a_home(project, home):
    """Slow: pip and virtualenv, which keep things in a home, make one."""
    before = ("env", f"HOME={home}") if home else ("env", "-u", "HOME")
    if not home and can(*NOBODY):
        before = *NOBODY, *before
    done = project.call(*before, *ASV, "run", "HEAD^!", *TINY)
    assert done.returncode == 0, done.stdout
    assert not (project.path / "~").exists()


@pytest.mark.skipif(has_gpu(), reason="here the real driver would answer")
def test_nodes_of_two_kinds_with_one_home_are_two_machines(measured, tmp_path):
    """What asv wrote there on one node is not true on the other."""
    assert measured.asv("machine", "--yes").returncode == 0
    assert list(measured.home.glob(".asv-machine.json"))
    before = measured.results().parent
    done = measured.run("--bench", "Harness.*none", **fake_driver(tmp_path, 13000))
    assert done.returncode == 0, done.stdout
    found = {path.parent.name: json.loads(path.read_text()) for path in machines(measured)}
    assert found.keys() == {before.name, "test-gpu"}
    assert found["test-gpu"]["gpu"] == "Test GPU"
    assert "gpu" not in found[before.name]


def machines(project):
    return project.path.glob("results/*/machine.json")


def test_a_folder_for_temporary_files_may_have_a_long_name(project, tmp_path):
    long = f"{tmp_path}/".ljust(95, "x")
    os.mkdir(long)
    done = project.run(*TINY, TMPDIR=long)
    assert done.returncode == 0, done.stdout
    assert os.listdir(long) == []


# Kills -------------------------------------------------------------------------------------------


def of_project(project):
    """The command lines of all that runs in the project or was started by its path."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (path / "cmdline").read_text().replace("\0", " ")
            if words and (str(project.path) in words or (path / "cwd").samefile(project.path)):
                found[int(path.name)] = words
    return found


@pytest.fixture
def short():
    """A TMPDIR that runs use: pytest's own names are too long for sockets."""
    folder = Path("/tmp", f"t{os.getpid()}{time.monotonic_ns() % 1000}")
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "moment",
    [
        "run_server",
        "scripts/report.py",
        # Slow: each of them measures, publishes and measures again, as the one before.
        pytest.param("asv publish", marks=pytest.mark.slow),
        pytest.param("scripts/compare.py", marks=pytest.mark.slow),
    ],
)
def test_a_first_command_that_is_killed_takes_all_with_it(measured, short, moment):
    """By kill -9, out-of-memory or a closed session, while it measures or publishes."""
    measured.git("add", "-A")
    measured.git("commit", "-qm", "results")
    variables = measured.environment(TMPDIR=str(short))
    bench = ("--bench", "HostCopy") if moment == "run_server" else TINY  # which would go on
    words = "scripts/bench.py", "--python=same", "--", *bench
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [sys.executable, *words]
    with subprocess.Popen(command, cwd=measured.path, env=variables, **quiet) as process:
        wait_until(lambda: any(moment in words for words in of_project(measured).values()))
        process.kill()
    time.sleep(0.5)
    assert of_project(measured) == {}
    done = measured.run(*TINY, TMPDIR=str(short))
    assert done.returncode == 0, done.stdout
    assert os.listdir(short) == []


def test_a_server_that_is_killed_ends_the_run_in_one_line(project):
    run = start(project, "--bench", "HostCopy")
    wait_for_processes(project)
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    (server,) = (
        pid
        for pid, words in of_project(project).items()
        if "run_server" in words and str(pid) in children
    )
    os.kill(server, signal.SIGKILL)
    said = run.communicate(timeout=20)[0]
    assert run.returncode == 1
    assert "Traceback" not in said
    last = said.splitlines()[-1]
    assert "asv's server was ended by something else (-9)" in last
    assert re.search(r"process(es are|is) kept, and the next run goes on from there$", last)
