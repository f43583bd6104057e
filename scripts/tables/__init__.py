"""Results side by side and where they come from, for the terminal and as Markdown.

compare.py and provenance.py call it, and the report takes its rows from it. Which method is the
fastest, and which cannot be told apart, is decided here and nowhere else.
"""
