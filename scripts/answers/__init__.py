"""What one recorded result answers, as rows and as sentences: which method, which way, pin or not.

The report's page says them, and the terminal. They come from the table of reading/points.py, from
one result at a time; where that cannot tell, the answer says so.
"""
