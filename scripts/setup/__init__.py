"""What is there before anything is measured: a clean environment, .venv, a commit's stack, the GPU.

Commands and asv's plugin call it first, before anything is installed: all but gpu.py keeps to the
standard library. It asks git for all the others, and imports no room but words/.
"""
