"""What README and the pages of docs/ show: prose, links, anchors, paths, commands."""

import re
import shlex

from tests.conftest import ROOT

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
INDENTED = re.compile(r"^ {4,}((?=\S)(?:.*\\\n)*.*)", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)", re.MULTILINE)
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
COMMAND = re.compile(
    r"(scripts/)?(bench|compare|draw|gate|hand_over|hosts|points|provenance|report)\.py"
)

# A path in backticks is one of the repository if it begins with one of its folders, or has no
# folder and ends as its files do.
FOLDERS = ".ci", ".github", "benchmarks", "docs", "requirements", "results", "scripts", "tests"
ENDINGS = ".css", ".in", ".jinja", ".json", ".jsonl", ".md", ".py", ".svg", ".toml", ".txt", ".yml"
# Whose names are no repository's: a user's own run makes these.
MADE = re.compile(r"results/(MACHINE|\*)|\.(noise|provenance)\.jsonl$|FILE")


def prose(text):
    return re.sub(r"^ {4,}\S.*", "", re.sub(r"(?ms)^```.*?^```", "", text), flags=re.MULTILINE)


def links(text):
    return LINK.findall(prose(text))


def headings(text):
    return HEADING.findall(prose(text))


def anchors(text):
    """As GitHub makes them of headings."""
    texts = (CODE.sub(r"\1", heading).lower() for heading in headings(text))
    return {re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-") for text in texts}


def broken_links(text, folder):
    """The links of a page in `folder` that lead nowhere."""
    for link in links(text):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        there = folder / target
        gone = target and not there.exists()
        if gone or (anchor and anchor not in anchors(there.read_text() if target else text)):
            yield link


def missing_paths(text):
    """The paths of the repository in backticks that are not there."""
    names = {path.name for path in ROOT.glob("*")}
    names |= {path.name for folder in FOLDERS for path in (ROOT / folder).rglob("*")}
    for code in CODE.findall(prose(text)):
        first, inside, _ = code.partition("/")
        if " " in code or MADE.search(code):
            continue
        if inside and first in FOLDERS:
            if not list(ROOT.glob(code.rstrip("/").replace("NAME", "*"))):
                yield code
        elif not inside and code.endswith(ENDINGS) and code not in names and code not in ENDINGS:
            yield code


def commands(text):
    """(words, whole) of each command of ours, or of asv, that a page shows.

    `whole` is False for what a sentence only names, which may lack an argument.
    """
    for shown in [*INDENTED.findall(text), *CODE.findall(prose(text))]:
        for one in shown.replace("\\\n", " ").split("&&"):
            words = shlex.split(one, comments=True)
            while words and re.fullmatch(r"\w+=\w*", words[0]):
                words = words[1:]  # a variable before a command
            whole = len(words) > 1 and re.fullmatch(r"(\.venv/bin/)?python3?", words[0])
            if whole:
                words = words[1:]
            elif words and words[0] in ("asv", ".venv/bin/asv"):
                words, whole = ["asv", *words[1:]], len(words) > 2
            if words and (whole or len(words) > 1):
                if words[0] == "asv" or words[0].startswith(("scripts/", "tests/")):
                    yield words, bool(whole)
                elif words[0] == "-m" and words[1].startswith("tests."):
                    yield [f"{words[1].replace('.', '/')}.py", *words[2:]], True
                elif COMMAND.fullmatch(words[0]):
                    yield [f"scripts/{words[0]}", *words[1:]], False
