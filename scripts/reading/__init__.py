"""Recorded results as one table: which result is meant, its points, how they compare.

Everything that shows or compares results reads them here; nobody else opens a results file. It
measures nothing, and writes nothing but what hand_over.py takes from a machine that is not trusted.
"""
