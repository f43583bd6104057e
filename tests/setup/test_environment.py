"""The environment that all of the project runs in, whatever the shell's was."""

import contextlib
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.setup import environment
from tests.conftest import ROOT

SHOW = "from scripts.setup import environment; environment.clean(); import os, sys; print({})"


def cleaned(shown, *options, folder=ROOT, **variables):
    """What Python shows after `clean`, started with these variables of a shell."""
    code = f"import sys; sys.path.insert(0, '.'); {SHOW.format(shown)}"
    given_ = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
    command = [sys.executable, *options, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=given_, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_hooks_variables_are_gone_and_what_is_a_users_stays():
    hook = {"GIT_DIR": "/d", "GIT_INDEX_FILE": "/i", "GIT_WORK_TREE": "/w", "GIT_PREFIX": "x/"}
    stays = {"GIT_SSH_COMMAND": "ssh -v", "GIT_AUTHOR_NAME": "jo", "CUDA_VISIBLE_DEVICES": "0"}
    hook |= {"GIT_LITERAL_PATHSPECS": "1", "GIT_REFLOG_ACTION": "rebase"}
    there = eval(cleaned("dict(os.environ)", **hook, **stays))
    assert not hook.keys() & there.keys()
    assert stays.items() <= there.items()


def test_settings_that_git_was_handed_come_first():
    """git -c safe.directory=... reaches an alias as these, and what was asked for holds."""
    handed = {"GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "color.ui"}
    handed |= {"GIT_CONFIG_VALUE_0": "auto", "GIT_CONFIG_KEY_1": "x.y", "GIT_CONFIG_VALUE_1": "z"}
    asked = "os.popen('git config --get-all {}').read().split()"
    for name, said in ("x.y", "['z']"), ("color.ui", "['auto']"), ("core.quotePath", "['false']"):
        assert cleaned(asked.format(name), **handed) == said
    assert cleaned(asked.format("color.ui"), GIT_CONFIG_COUNT="no number") == "['false']"


@pytest.mark.parametrize(
    ("said", "known", "found"),
    [
        ("/home/jo", "/root", "/home/jo"),
        ("", "/root", "/root"),
        ("~", "/root", "/root"),
        ("relative", "/root", "/root"),
        ("", None, str(ROOT / ".asv" / "home")),
        ("", "", str(ROOT / ".asv" / "home")),
    ],
)
def test_a_home_is_a_whole_path(monkeypatch, said, known, found):
    def entry(_):
        if known is None:
            raise KeyError
        return pwd.struct_passwd(("jo", "x", 1, 1, "", known, "/bin/sh"))

    monkeypatch.setattr(pwd, "getpwuid", entry)
    assert environment.home(said) == found


PIP_CONF = """
[global]
user = true
index-url = file:///global
no_cache_dir = false
[install]
target = /elsewhere
index-url = file:///install
require-hashes = true
[freeze]
timeout = 3
"""
ALL_BUT_WHERE = {
    "PIP_USER": "1",
    "PIP_TARGET": "/elsewhere",
    "PIP_PREFIX": "/elsewhere",
    "PIP_ROOT": "/elsewhere",
    "PIP_REQUIREMENT": "/elsewhere.txt",
    "PIP_CONSTRAINT": "/elsewhere.txt",
    "PIP_REQUIRE_VIRTUALENV": "1",
    "PIP_DRY_RUN": "1",
    "PIP_NO_DEPS": "1",
    "PIP_PYTHON": "/usr/bin/python3",
}


@pytest.mark.parametrize("place", [".config/pip/pip.conf", ".pip/pip.conf", "mine.conf"])
def test_of_pips_settings_those_stay_that_say_where_from(tmp_path, place):
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PIP_CONF)
    variables = {"HOME": str(tmp_path), "PIP_TIMEOUT": "9", **ALL_BUT_WHERE}
    if place == "mine.conf":
        variables["PIP_CONFIG_FILE"] = str(path)
    found = environment.pip_settings(variables)
    assert found["PIP_INDEX_URL"] == "file:///install"
    assert (found["PIP_TIMEOUT"], found["PIP_NO_CACHE_DIR"]) == ("9", "false")
    assert not found.keys() & (ALL_BUT_WHERE.keys() | {"PIP_REQUIRE_HASHES"})


def test_a_pip_that_reads_no_files_reads_none(tmp_path):
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip" / "pip.conf").write_text(PIP_CONF)
    variables = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
    assert environment.pip_settings(variables) == {}


@given(st.text() | st.text(alphabet="[]global\n= \t:%-"))
def test_no_pip_configuration_stops_a_command(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.conf"
    path.write_text(text, encoding="utf-8", errors="replace")
    with contextlib.suppress(FileNotFoundError):
        environment.pip_settings({"PIP_CONFIG_FILE": str(path), "HOME": "/nowhere"})


def test_pip_installs_where_it_is_told_to_and_from_where_the_user_says(tmp_path):
    """pip itself, in its own words, after a shell and a configuration file that mislead it."""
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip" / "pip.conf").write_text(PIP_CONF)
    config = f"os.popen({f'{sys.executable} -m pip config list'!r}).read().split()"
    found = eval(cleaned(config, folder=tmp_path, **ALL_BUT_WHERE))
    names = {line.partition("=")[0].removeprefix(":env:.") for line in found}
    assert names <= {*environment.PIP_WHERE.split(), "config-file"}
    assert ":env:.index-url='file:///install'" in found


def test_no_variable_of_python_reaches_a_python_of_ours():
    variables = {"PYTHONPATH": "/x", "PYTHONHOME": "/x", "PYTHONOPTIMIZE": "2", "PATH": "/bin"}
    variables |= {"PYTHONSTARTUP": "x", "PYTHONHASHSEED": "1", "PYTHONUNBUFFERED": "1"}
    left = environment.without_python(variables)
    assert left == {"PATH": "/bin", "PYTHONHASHSEED": "1", "PYTHONUNBUFFERED": "1"}
    kept = environment.without_python(variables, environment.PYTHON_LIBRARIES)
    assert kept.keys() - left.keys() == {"PYTHONPATH", "PYTHONHOME"}


def test_a_users_pythonpath_is_forgotten_in_venv_alone(tmp_path, monkeypatch):
    foreign = str(tmp_path)
    for prefix in environment.VENV, tmp_path:
        before = [foreign, str(ROOT), "/stays"]
        monkeypatch.setattr(sys, "path", list(before))
        monkeypatch.setattr(sys, "prefix", str(prefix))
        monkeypatch.setenv("PYTHONPATH", f"{foreign}{os.pathsep}{ROOT}")
        ours = Path(sys.prefix) == environment.VENV
        assert environment.clean() == ours
        assert sys.path == (before[1:] if ours else before)
        assert ("PYTHONPATH" in os.environ) != ours
