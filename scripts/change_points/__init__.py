"""When did it become slower, and what changed then: one detector of steps and its words.

The report, `gate.py history` and asv's regressions page call it, and so say the same. It reads
recorded results alone, and never measures.
"""
