"""What report.py and draw.py are made of: the page, its charts, and what it says in words."""
