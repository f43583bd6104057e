"""The project's own .venv: made in spite of the shell that asks for it, and again when it must be.

Made for real, with one small tool, once: also that takes seconds.
"""

import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import packaging
import pytest

from tests.conftest import Project, new_project

MAKING = "Making .venv with the tools in requirements/dev.txt: a minute or two, once"
COMMAND = """
import sys
from pathlib import Path
sys.path[:0] = [str(Path(__file__).resolve().parents[1])]
from scripts.setup import dotvenv
if sys.argv[1:]:
    print(dotvenv.whole())
else:
    dotvenv.enter()
    import packaging
    print(packaging.__file__)
"""


def mislead(home, folder):
    """A shell's variables and pip's configuration that would have the tool elsewhere."""
    for name in "packaging", f"packaging-{version('packaging')}.dist-info":
        shutil.copytree(Path(packaging.__file__).parents[1] / name, folder / "there" / name)
    config = home / ".config" / "pip" / "pip.conf"
    config.parent.mkdir(parents=True)
    config.write_text(f"[global]\nuser = true\n[install]\ntarget = {folder / 'target'}\n")
    return {"PYTHONPATH": str(folder / "there"), "PIP_USER": "1", "PYTHONNOUSERSITE": ""}


def call(small, **variables):
    """Run the command, whose last line is where `packaging` is; whether it made .venv."""
    done = small.call(sys.executable, "scripts/small.py", **variables)
    assert done.returncode == 0, done.stdout
    assert small.path / ".venv" in Path(done.stdout.splitlines()[-1]).parents
    return MAKING in done.stdout.splitlines()


def is_whole(small):
    return small.call(sys.executable, "scripts/small.py", "whole?").stdout.strip() == "True"


@pytest.fixture(scope="module")
def misled(tmp_path_factory):
    """The project with a command that needs `packaging`, which is all that dev.txt pins; its .venv
    made by a shell that misleads. And that shell's variables."""
    folder = tmp_path_factory.mktemp("misled")
    small = new_project(folder)
    (small.path / "scripts" / "small.py").write_text(COMMAND)
    pins = small.path / "requirements" / "dev.txt"
    pins.write_text(f"# comment\npackaging=={version('packaging')}\n")
    variables = mislead(small.home, folder)
    assert not is_whole(small)
    assert call(small, **variables)
    return small, variables


@pytest.fixture
def small(misled, tmp_path):
    """`misled`, its .venv included, in another folder."""
    path = shutil.copytree(misled[0].path, tmp_path / "project", symlinks=True)
    return Project(path, misled[0].home)


def test_a_shell_that_misleads_pip_and_python_misleads_no_environment(misled):
    small, variables = misled
    assert is_whole(small)
    assert not call(small, **variables)
    assert not call(small)
    assert not (small.home.parent / "target").exists()
    assert not (small.home / ".local").exists()
    code = "import packaging; print(packaging.__file__)"
    command = [small.path / ".venv" / "bin" / "python", "-I", "-c", code]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout
    assert small.path / ".venv" in Path(found).parents


def test_what_is_made_otherwise_or_elsewhere_is_not_whole(small):
    made = small.path / ".venv" / "made-from"
    told = json.loads(made.read_text())
    assert not is_whole(small)  # it was made in another folder
    here = {**told, "folder": str(small.path / ".venv")}
    made.write_text(json.dumps(here))
    assert is_whole(small)
    path, size, time = told["python"]
    for other in {"pins": "other"}, {"python": [path, size, time - 1]}:  # upgraded in place
        made.write_text(json.dumps({**here, **other}))
        assert not is_whole(small), other
    for broken in "", "[]", "{}", "null", "half":
        made.write_text(broken)
        assert not is_whole(small), broken
    made.write_text(json.dumps(here))
    (small.path / ".venv" / "bin" / "python").unlink()  # as where the Python that it led to is gone
    assert not is_whole(small)


def test_another_version_of_its_python_is_seen_by_that_python(small):
    """A link in /usr/bin may lead to another Python, of the same size and date."""
    made = small.path / ".venv" / "made-from"
    told = json.loads(made.read_text())
    here = {**told, "folder": str(small.path / ".venv")}
    python = small.path / ".venv" / "bin" / "python"
    for number, whole in (told["version"], "True"), ("3.0.0", "False"):
        made.write_text(json.dumps({**here, "version": number}))
        assert small.call(str(python), "scripts/small.py", "whole?").stdout.strip() == whole


ELSEWHERE = """
import platform, shutil, sys
sys.path.insert(0, ".")
platform.machine, shutil.which = lambda: "aarch64", lambda name: None
from scripts.setup import dotvenv
dotvenv.enter()
"""


@pytest.mark.slow
def test_what_is_not_whole_is_made_again(small):
    """Slow: five environments are made, each with pip."""
    failed = small.call(sys.executable, "scripts/small.py", PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert failed.returncode == 1
    assert failed.stdout.splitlines()[-1].startswith(f"Could not make {small.path}/.venv; what")
    assert not is_whole(small)
    failed = small.call(sys.executable, "-c", ELSEWHERE, PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    said = "asv has no wheel for aarch64; g++ would build it"
    assert failed.stdout.splitlines()[-1].endswith(said)
    assert call(small)
    made = small.path / ".venv" / "made-from"
    told = json.loads(made.read_text())
    made.write_text(json.dumps({**told, "version": "3.0.0"}))
    assert call(small)
    assert json.loads(made.read_text()) == told
    small.path = small.path.rename(small.path.with_name("moved"))
    assert call(small)
    assert not call(small)
