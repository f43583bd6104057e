"""What a run writes beside asv's results: where they come from, how noisy they are, the unfinished.

asv's plugin and the gate write it while they measure; the rooms that read results load it from
here, so that each kind of file is known in one place. A fact of the host or the GPU is one function
in host.py or gpu.py, with its alarm.
"""
