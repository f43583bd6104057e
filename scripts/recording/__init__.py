"""What a run records beside asv's results: noise, facts, what is not finished yet."""
