"""docs/architecture.md has the maps of the code; pointers to a section name one that is there."""

import ast
import re

from tests.conftest import ROOT
from tests.docs.pages import headings

ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
POINTER = re.compile(r'(README|README\.md|docs/\w+\.md),\s+"([^"]+)"')


def imports():
    """{(room, room)}: whose modules import whose; a command's room is called `commands`."""
    for path in (ROOT / "scripts").rglob("*.py"):
        *folders, _ = path.relative_to(ROOT / "scripts").parts
        room = folders[0] if folders else "commands"
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and re.match(r"scripts\b", node.module or ""):
                _, *inside = node.module.split(".")
                yield from ((room, other) for other in inside[:1] or [n.name for n in node.names])


def test_the_arrows_are_the_imports():
    arrows = re.findall(r"^ +(\w+) --> (\w+)$", ARCHITECTURE, re.MULTILINE)
    found = {(room, other) for room, other in imports() if room != other}
    assert not [other for room, other in found if room == "words"]
    assert sorted(arrows) == sorted(pair for pair in found if pair[1] != "words")


def test_the_rooms_are_the_folders():
    rows = re.findall(r"^\| `scripts/(\w+)/` \|", ARCHITECTURE, re.MULTILINE)
    assert sorted(rows) == sorted(
        path.name for path in (ROOT / "scripts").iterdir() if list(path.glob("*.py"))
    )


def test_all_that_is_replaced_inside_asv_is_listed():
    import scripts.asv_plugin  # noqa: F401 - it replaces
    from scripts.asv_plugin.replaced import REPLACED

    row = re.compile(r"^\| `([\w.]+)` \| `(scripts/asv_plugin/\w+\.py)` \| (.*) \|$", re.MULTILINE)
    rows = row.findall(ARCHITECTURE)
    assert {name: without for name, _, without in rows} == REPLACED
    for name, file, _ in rows:
        last = name.rpartition(".")[2]
        assert re.search(rf"\b{last}\b", (ROOT / file).read_text()), f"{name} is not in {file}"


def test_what_points_to_a_section_names_one_that_is_there():
    pointers = []
    for top in "benchmarks", "scripts", ".github":
        for path in (ROOT / top).rglob("*"):
            if path.suffix in (".py", ".yml", ".jinja"):
                pointers += [(path.name, *found) for found in POINTER.findall(path.read_text())]
    assert pointers
    for name, page, section in pointers:
        text = (ROOT / f"{page.removesuffix('.md')}.md").read_text()
        assert section.lower() in {one.lower() for one in headings(text)}, (name, page, section)
