"""The whole test suite: ruff, mypy, asv's check of the benchmarks, pytest. Arguments go to pytest.

python3 scripts/test.py
"""

import os
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]  # the checkout

from scripts.setup import children, dotvenv, stack

# Two files at a time, but where there is a GPU: there tests measure, and would measure each other.
FILES = ["-n2", "--dist=loadfile", "--no-loadscope-reorder"]  # in the order of tests/conftest.py
TOGETHER = FILES if stack.cuda_version() is None else ["-n0"]
COMMANDS = [
    ["ruff", "check", "."],
    ["ruff", "format", "--check", "."],
    ["mypy"],
    ["asv", "check", "--environment", "existing:same"],
    ["pytest", *TOGETHER, *sys.argv[1:]],
]


def main() -> int:
    dotvenv.enter()
    os.chdir(dotvenv.ROOT)
    codes = []
    for command in COMMANDS:
        print("+", *command, flush=True)
        words = [sys.executable, "-m", *command]
        codes.append(subprocess.run(words, preexec_fn=children.ending_with_us()).returncode)
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main())
