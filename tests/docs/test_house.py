"""The house: what holds for every room of scripts/, so that a newcomer finds each thing in one."""

import ast
import subprocess
import sys
from collections import defaultdict
from graphlib import TopologicalSorter

import pytest

from tests.conftest import ROOT

FILES = [
    path for folder in ("scripts", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))
]
ROOMS = sorted(path.parent for path in (ROOT / "scripts").glob("*/__init__.py"))
COMMANDS = sorted((ROOT / "scripts").glob("[!_]*.py"))
LINES = 250


def imports(path):
    """(module, names) of each import; None for the names of a plain `import module`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), [alias.name for alias in node.names]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_says_what_it_is_for_and_who_calls_it(room):
    said = ast.get_docstring(ast.parse((room / "__init__.py").read_text()))
    assert said.replace(".py", "").count(".") >= 3, "three sentences"


def test_every_folder_of_scripts_is_a_room():
    folders = {path.parent for path in FILES if path.parent.parent == ROOT / "scripts"}
    assert folders == set(ROOMS)


def test_one_import_style():
    for path in FILES:
        for module, names in imports(path):
            first = module.split(".")[0]
            if first == "scripts":
                assert names, f"{path}: from scripts.room import name"
            inside = path.is_relative_to(ROOT / "scripts")
            assert not (inside and module.startswith(".")), f"{path}: {module}"
            assert not (inside and first == "benchmarks"), f"{path}: {module}"
            siblings = {other.stem for other in path.parent.glob("*.py")} - {"__init__"}
            beside = inside and names is not None and first in siblings - sys.stdlib_module_names
            assert not beside, f"{path}: {module}"


def test_no_circle_between_rooms():
    arrows = defaultdict(set)
    for path in FILES:
        room = path.relative_to(ROOT).parts[1]
        for module, names in imports(path):
            parts = module.split(".")
            if parts[0] == "scripts" and path.parent != ROOT / "scripts":
                arrows[room] |= {parts[1]} if parts[1:] else set(names)
    for room, others in arrows.items():
        others.discard(room)
    order = list(TopologicalSorter(arrows).static_order())  # CycleError if there is one
    assert order.index("words") < order.index("setup") < order.index("gate")
    assert not arrows["words"]


def test_no_file_is_long():
    for path in FILES:
        assert len(path.read_text().splitlines()) <= LINES, path


@pytest.mark.parametrize(
    "command", [path for path in COMMANDS if path.stem != "test"], ids=lambda path: path.name
)
def test_a_command_finds_its_rooms_from_anywhere(command, tmp_path):
    """Also with PYTHONSAFEPATH, which keeps a script's folder out of sys.path."""
    words = [sys.executable, "-P", command, "--help"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: ")


def test_the_command_of_a_room_is_short():
    for command in COMMANDS:
        assert len(command.read_text().splitlines()) <= 175, command
