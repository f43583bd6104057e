"""What one recorded result answers, as rows and as sentences: which method, which way, pin or not,
is the link as it should be; and what makes it doubtful.

The report's page says them, and the terminal: first.py has what comes first. They come from the
table of reading/points.py, from one result at a time; where that cannot tell, the answer says so.
"""
