"""The report: its page, its charts, and what it says in words.

report.py and draw.py call it, and `asv publish` in a process of its own. Everything on it comes
from the table of reading/points.py and from the rooms that compare: it computes nothing itself.
"""
