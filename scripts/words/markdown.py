"""Text for Markdown."""

import html
import re


def escaped(text):
    """`text` for Markdown, where it says itself and does nothing."""
    return re.sub(r"([\\`*_|~#\[\]])", r"\\\1", html.escape(text, quote=False))


def folded(title, lines):
    """`lines` of Markdown that are not seen before a click on `title`."""
    return [f"<details><summary>{title}</summary>", "", *lines, "", "</details>"]
