"""The report: its page, its charts, and what it says in words.

report.py and draw.py call it, and `asv publish` in a process of its own. Everything on it comes
from the table of reading/points.py and from the rooms that compare: it computes nothing itself.
"""

import importlib.util

NEEDED = "altair", "jinja2", "msgspec", "pandas", "scipy", "vl_convert"


SITE = "<!-- asv's own pages -->"  # where the report leads to them, if it lies beside them


def beside_a_site(page: str) -> str:
    """The report `page`, leading to asv's own pages, which lie beside it."""
    return page.replace(SITE, '<a href="index.html">asv\'s own pages</a>')


def missing():
    """The libraries of the report that this Python does not have."""
    return [name for name in NEEDED if not importlib.util.find_spec(name)]
