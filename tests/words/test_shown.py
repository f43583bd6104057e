"""Text from elsewhere does nothing to a terminal."""

import logging
import subprocess
import sys

import pytest

from scripts.words.shown import plain, plain_lines, plain_record
from tests.conftest import ROOT


def test_text_is_made_plain():
    assert plain("a\x1b[31m\nb\u202ec\ud800\x9b") == "a[31mbc"
    assert plain_lines("a\tb\n\x1bc\r\n") == "a       b\nc\n"
    assert plain(None) is None


def test_what_asv_logs_is_plain(capsys):
    logger = logging.getLogger("of a test")
    logger.propagate = False  # asv's own log is the root logger
    handler = logging.StreamHandler(sys.stdout)
    logger.addHandler(handler)
    logger.addFilter(plain_record)
    logger.warning("a %s\nb", "\x1b[31mred")
    assert capsys.readouterr().out == "a [31mred\nb\n"


@pytest.mark.parametrize("words", ["gate.py history nope", "hosts.py rank /nowhere"])
def test_where_nothing_can_be_written_nothing_is_found_slow(words):
    """1 would be a finding."""
    name, *words = words.split()
    command = [sys.executable, ROOT / "scripts" / name, *words]
    with open("/dev/full", "w") as full:
        assert subprocess.run(command, stdout=full, stderr=full).returncode == 2
