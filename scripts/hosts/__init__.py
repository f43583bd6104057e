"""Every GPU of a host, and the slow one among the GPUs of many hosts.

hosts.py calls it. What a host says of each of its GPUs is a line of JSON (schema.py); check.py
measures one host, with workers.py, and expected.py judges it; ranking.py reads the lines of
many, fleet.py learns from them what is normal, causes.py says what may be the matter, and answer.py
words. A site's own scheduler runs the check on each node: reframe_test.py is for ReFrame.
"""
