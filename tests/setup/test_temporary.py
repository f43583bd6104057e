"""A run's folder for temporary files: where it is, and when it goes."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from scripts.setup import temporary
from tests.conftest import ROOT

USE = """
import sys, tempfile; sys.path.insert(0, "."); from scripts.words import one_line
from scripts.setup import temporary; temporary.use()
open(tempfile.mkstemp()[1], "w").write("some"); print(tempfile.gettempdir(), flush=True)
sys.stdin.read(); temporary.use(); print(tempfile.gettempdir())
"""
FILL = "mount -t tmpfs -o size=16k none {0} && head -c 99999 /dev/zero >{0}/all 2>/dev/null"


@pytest.fixture
def place():
    """A folder of a name short enough, which pytest's own are not everywhere."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def use(folder, *before):
    """A process that uses a folder in `folder`, and goes on when it is told to."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [*before, sys.executable, "-c", USE]
    variables = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.Popen(command, cwd=ROOT, env=variables, text=True, **pipes)


def first_line(process):
    return process.stdout.readline().strip()


def test_a_run_that_ends_takes_its_folder_with_it(place):
    with use(place) as process:
        folder = first_line(process)
        assert Path(folder).parent == place
        assert list(place.iterdir()) == [Path(folder)]
        assert process.communicate("")[0].strip() == folder  # and so have those that it starts
    assert list(place.iterdir()) == []


def test_what_a_killed_run_leaves_the_next_one_clears(place):
    """But nothing of one that goes on, of somebody else's name, or that a link leads to."""
    theirs = place / "theirs"
    theirs.mkdir()
    (theirs / "precious").touch()
    (place / f"{temporary.PREFIX}link").symlink_to(theirs)
    (place / f"{temporary.PREFIX}file").touch()
    with use(place) as goes_on, use(place) as killed:
        going, left = first_line(goes_on), first_line(killed)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert os.listdir(left)
        with use(place) as process:
            process.communicate("")
        assert not os.path.exists(left)
        assert os.listdir(going)
        goes_on.communicate("")
    there = {path.name for path in place.iterdir()}
    assert there == {"theirs", f"{temporary.PREFIX}link", f"{temporary.PREFIX}file"}
    assert (theirs / "precious").exists()


@pytest.mark.parametrize("length", [60, 61, 95, 200])
def test_a_socket_fits_into_its_folder(place, length):
    """Unix sockets' names end at 107 bytes."""
    there = f"{place}/".ljust(length, "x")
    os.mkdir(there)
    with use(there) as process:
        folder = first_line(process)
        process.communicate("")
    assert len(f"{folder}/asv-forkserver-12345678/socket") <= 107
    assert folder.startswith(there) == (length == 60)


def test_a_full_folder_is_not_used(place):
    before = "unshare", "-m", "sh", "-c", FILL.format(place) + '; exec "$@"', "sh"
    if subprocess.run([*before, "true"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("no disk can be mounted here")
    with use(place, *before) as process:
        folder = Path(first_line(process))
        assert process.communicate("")[1] == ""
    assert place not in folder.parents
    assert not folder.exists()


def test_that_there_is_no_room_at_all_is_one_line(place):
    with use(place, "prlimit", "--fsize=0") as process:
        said, why = process.communicate("")
    assert said == ""
    assert why.startswith("[Errno 2] No usable temporary directory found in ")
    assert why.count("\n") == 1
