"""What the shell that started us must not decide: the one place where the environment is cleaned.

Every command, asv's plugin and the tests call `clean` before anything else, so that whatever is
started from there has it too. It runs before anything is installed: the standard library only.
"""

import configparser
import os
import pwd
import sys
import sysconfig
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"

# `git rev-parse --local-env-vars`, and what else git's hooks set or pathspecs are read by. In a
# hook they say which repository, index and work tree every git means, wherever it is called. As
# git itself does for submodules, what is only a setting (git -c) stays.
GIT_LOCAL = """
ALTERNATE_OBJECT_DIRECTORIES COMMON_DIR CONFIG DIR GLOB_PATHSPECS GRAFT_FILE ICASE_PATHSPECS
IMPLICIT_WORK_TREE INDEX_FILE INDEX_VERSION INTERNAL_SUPER_PREFIX LITERAL_PATHSPECS NAMESPACE
NOGLOB_PATHSPECS NO_REPLACE_OBJECTS OBJECT_DIRECTORY PREFIX QUARANTINE_PATH REFLOG_ACTION
REPLACE_REF_BASE SHALLOW_FILE WORK_TREE
"""
# asv parses what git prints for people, and clones this repository; our own questions are plumbing.
GIT_SETTINGS = {
    "clone.rejectShallow": "false",
    "color.ui": "false",
    "column.ui": "never",
    "core.hooksPath": os.devnull,
    "core.quotePath": "false",
    "log.showSignature": "false",
    "submodule.recurse": "false",
}
# pip's settings that say where packages come from, or how it talks: they stay. All others say what
# is installed or where to, and that we know. By the names that its configuration files have.
PIP_WHERE = """
cache-dir cert client-cert compile default-timeout disable-pip-version-check extra-index-url
find-links index-url keyring-provider no-cache-dir no-color no-compile no-index no-input
progress-bar proxy pypi-url resume-retries retries timeout trusted-host use-deprecated use-feature
"""
VIRTUALENV_WHERE = {"VIRTUALENV_EXTRA_SEARCH_DIR", "VIRTUALENV_OVERRIDE_APP_DATA"}
# What of Python's own variables changes nothing that is installed, imported or run; and what a
# Python of the user's may have its libraries from.
PYTHON_STAYS = """
COERCECLOCALE DONTWRITEBYTECODE FAULTHANDLER HASHSEED IOENCODING MALLOC PYCACHEPREFIX UNBUFFERED
UTF8 _COLORS
"""
PYTHON_LIBRARIES = "HOME NOUSERSITE PATH PLATLIBDIR USERBASE"


def clean() -> bool:
    """Make this process's environment, and so that of all that it starts, one of our own.

    PYTHON_LIBRARIES stay unless this is .venv's Python. True if it has changed how Python runs.
    """
    variables = os.environ
    for name in GIT_LOCAL.split():
        variables.pop(f"GIT_{name}", None)
    set_for_git(variables)
    variables["HOME"] = home(variables.get("HOME", ""))
    settings = pip_settings(variables)
    for name in list(variables):
        virtualenv = name.startswith("VIRTUALENV_") and name not in VIRTUALENV_WHERE
        if virtualenv or name.startswith("PIP_"):
            del variables[name]
    variables.update(settings, PIP_CONFIG_FILE=os.devnull, VIRTUALENV_CONFIG_FILE=os.devnull)
    ours = Path(sys.prefix) == VENV
    if ours:
        forget(variables.get("PYTHONPATH", ""))
    left = without_python(variables, "" if ours else PYTHON_LIBRARIES)
    gone = variables.keys() - left.keys()
    for name in gone:
        del variables[name]
    return bool(gone)


def forget(pythonpath: str) -> None:
    """Let this Python import nothing more from there, as far as it is nowhere else."""
    foreign = {os.path.abspath(path) for path in pythonpath.split(os.pathsep) if path}
    foreign -= {str(ROOT), *sysconfig.get_paths().values()}
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) not in foreign]


def without_python(variables: Mapping[str, str], but: str = "") -> dict[str, str]:
    """The variables for a Python of ours: none that changes what a Python does, except `but`."""
    stays = {f"PYTHON{name}" for name in f"{PYTHON_STAYS} {but}".split()}
    return {k: v for k, v in variables.items() if k in stays or not k.startswith("PYTHON")}


def set_for_git(variables: MutableMapping[str, str]) -> None:
    """GIT_SETTINGS, behind such settings as there are (git 2.31 and later)."""
    said = variables.get("GIT_CONFIG_COUNT", "")
    count = int(said) if said.isdigit() else 0
    there = [variables.get(f"GIT_CONFIG_KEY_{number}") for number in range(count)]
    for name, value in GIT_SETTINGS.items():
        if name not in there:
            variables[f"GIT_CONFIG_KEY_{count}"] = name
            variables[f"GIT_CONFIG_VALUE_{count}"] = value
            count += 1
    variables["GIT_CONFIG_COUNT"] = str(count)


def home(said: str) -> str:
    """A home: what the environment said, if it is one. Without one, tools make a folder `~`."""
    if os.path.isabs(said):
        return said
    try:
        known = pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # a user without an entry, as containers have
        known = ""
    return known if os.path.isabs(known) else str(ROOT / ".asv" / "home")


def pip_settings(variables: Mapping[str, str]) -> dict[str, str]:
    """{variable: value} of PIP_WHERE, from pip's configuration files and the variables."""
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}}
    for path in pip_files(variables):
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(path.read_text(errors="replace"))
        except (OSError, configparser.Error):  # none, or none that pip can read
            continue
        for section in sections.keys() & set(parser.sections()):
            for key, value in parser.items(section):
                sections[section][key.lower().lstrip("-").replace("_", "-")] = value
    found = {**sections["global"], **sections["install"]}
    for name, value in variables.items():
        if name.startswith("PIP_"):
            found[name[4:].lower().replace("_", "-")] = value
    return {
        f"PIP_{key.upper().replace('-', '_')}": found[key]
        for key in PIP_WHERE.split()
        if found.get(key)
    }


def pip_files(variables: Mapping[str, str]) -> Iterator[Path]:
    """pip's configuration files, as pip 26 looks for them; what is said last holds."""
    own = variables.get("PIP_CONFIG_FILE")
    if own == os.devnull:
        return
    for folder in variables.get("XDG_CONFIG_DIRS", "/etc/xdg").split(os.pathsep):
        yield Path(folder, "pip", "pip.conf")
    yield Path("/etc/pip.conf")
    if not (own and os.path.exists(own)):
        home = Path(variables["HOME"])
        yield home / ".pip" / "pip.conf"
        yield Path(variables.get("XDG_CONFIG_HOME") or home / ".config", "pip", "pip.conf")
    if own:
        yield Path(own)
