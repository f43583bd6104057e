"""Text for Markdown."""

import html
import re
from collections.abc import Iterable

from scripts.words.shown import plain_lines


def escaped(text: str) -> str:
    """`text` for Markdown, where it says itself and does nothing."""
    safe = html.escape(plain_lines(text), quote=False)
    return re.sub(r"([\\`*_|~#\[\]])", r"\\\1", safe)


def folded(title: str, lines: Iterable[str]) -> list[str]:
    """`lines` of Markdown that are not seen before a click on `title`."""
    return [f"<details><summary>{title}</summary>", "", *lines, "", "</details>"]
