"""Text from elsewhere does nothing to a terminal."""

import logging
import sys

from scripts.words.shown import plain, plain_lines, plain_record


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
