"""Text from elsewhere, made safe to show: shown.py, by its first name."""

from scripts.words.shown import plain  # noqa: F401
