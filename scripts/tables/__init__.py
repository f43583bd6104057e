"""Results side by side and where they come from, for the terminal and as Markdown.

compare.py and provenance.py call it. Which method is the fastest, and which cannot be told apart,
scripts/answers/ says, as on the page: here it is shown.
"""
