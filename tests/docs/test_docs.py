"""README and docs/ keep their limits; their links, paths and commands are there and work."""

import argparse
import itertools
import runpy
import signal
import sys

import pytest
from asv.commands import make_argparser

from tests.conftest import ROOT
from tests.docs.pages import PAGES, README, broken_links, commands, links, missing_paths

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
# What may stand for a word of a command that is to be replaced.
MEANT = {"NAME": ["cu12", "latency"], "COMMIT": [40 * "0"], "MINUTES": ["5"], "N": ["4"]}


class Taken(Exception):
    """A command's arguments are taken; nothing is done with them."""


@pytest.fixture
def refusal(monkeypatch, capsys):
    """A function: why a command does not take the words that it is shown with; None if it does."""
    theirs = argparse.ArgumentParser.parse_args

    def parse_args(parser, *args, **kwargs):
        theirs(parser, *args, **kwargs)
        raise Taken

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_args)
    monkeypatch.setattr(sys, "path", [*sys.path])
    terminated = signal.getsignal(signal.SIGTERM)

    def called(words, whole=True):
        script = ROOT / words[0]
        try:
            if words[0] == "asv":
                make_argparser()[0].parse_args(words[1:])
            elif not script.is_file():
                return f"there is no {words[0]}"
            elif "parse_args" not in script.read_text():
                return None  # it passes its arguments on
            else:
                monkeypatch.setattr(sys, "argv", [str(script), *words[1:]])
                runpy.run_path(str(script), run_name="__main__")
        except Taken:
            return None
        except SystemExit:
            said = capsys.readouterr().err
            return None if not whole and "are required" in said else said
        finally:
            signal.signal(signal.SIGTERM, terminated)
        return "it looked at no argument"

    return called


def test_the_readme_is_short():
    text = README.read_text()
    assert len(text.splitlines()) <= 150
    assert len(text.split()) <= 1500


def test_the_readme_leads_to_all_of_docs():
    there = {link.partition("#")[0] for link in links(README.read_text())}
    assert {f"docs/{page.name}" for page in PAGES[1:]} <= there


@each_page
def test_links_and_anchors_lead_somewhere(page):
    assert list(broken_links(page.read_text(), page.parent)) == []


@each_page
def test_paths_exist(page):
    assert list(missing_paths(page.read_text())) == []


@each_page
def test_commands_are_taken_as_they_are_shown(page, refusal):
    for words, whole in commands(page.read_text()):
        meant = itertools.product(*(MEANT.get(word, [word]) for word in words))
        refusals = [refusal(list(tried), whole) for tried in meant]
        assert None in refusals, (words, refusals)


def test_what_is_wrong_is_found(refusal):
    """A page with a fault of each kind, beside what has none."""
    page = """# One `x` & two

[here](#one-x--two), [not here](#three), [gone](gone.md), [elsewhere](https://a.example/#b)
`scripts/gone.py`, `gone.py` and `tests/*/gone`; `scripts/gate.py`, `gate.py`, `results/MACHINE/x`
`gate.py`, `bench.py --full`; `gate.py evaluate MACHINE` and `gate.py compare`

    python3 scripts/compare.py --markdown    # as it is
    STACK=cu12 python3 scripts/compare.py --colour
    python3 scripts/gate.py compare BASE
    python3 scripts/gone.py && asv run --bench x && asv run --colour x
    .venv/bin/python -m tests.gone && .venv/bin/python -m tests.gate.evaluate MACHINE
"""
    assert list(broken_links(page, ROOT)) == ["#three", "gone.md"]
    assert list(missing_paths(page)) == ["scripts/gone.py", "gone.py", "tests/*/gone"]
    refused = [words for words, whole in commands(page) if refusal(words, whole)]
    assert refused == [
        ["scripts/compare.py", "--colour"],
        ["scripts/gate.py", "compare", "BASE"],
        ["scripts/gone.py"],
        ["asv", "run", "--colour", "x"],
        ["tests/gone.py"],
        ["scripts/gate.py", "evaluate", "MACHINE"],
    ]
    assert len(list(commands(page))) == 11
