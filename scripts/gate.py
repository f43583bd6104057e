"""The gate: finds what became slower between two commits, and knows how often it is wrong.

python3 scripts/gate.py calibrate           # how noisy is this machine? once, and when it changes
python3 scripts/gate.py compare BASE HEAD   # two commits' stacks, measured here in turns
"""

import argparse
import os
import sys
import time

import dotvenv


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    calibrate = commands.add_parser("calibrate")
    calibrate.add_argument("--python", choices=["same"])
    calibrate.add_argument("--processes", type=int, default=8)
    calibrate.add_argument("--bench", action="append")
    calibrate.add_argument("--budget", type=float, default=30)
    return parser.parse_args()


def calibrate(options):
    from regression import measuring
    from regression.recording import Recording

    from scripts.asv_plugin import sides as sides_

    start = time.monotonic()
    name = sides_.machine_name(None, "results")
    commit = sides_.commit_hash("HEAD")
    patterns = options.bench or ["HostToDevice.*float32", "Link"]
    with sides_.opened([commit, commit], patterns, options.python) as (sides, points, process):
        versions = {point.benchmark: point.version for point in points}
        recording = Recording(
            sides_.FOLDER / f"calibration-{name}.jsonl", [commit, commit], versions
        )
        conditions = measuring.Conditions(sides)
        before = len(recording.processes)
        deadline = start + 60 * options.budget
        whole = measuring.measure(
            recording, sides, points, process, options.processes // 2, deadline
        )
        recording.add(run=conditions.end(len(recording.processes) - before))
        recording.check()
        print(whole, len(recording.processes), time.monotonic() - start)


if __name__ == "__main__":
    options = arguments()
    os.chdir(dotvenv.ROOT)
    if not getattr(options, "python", None):
        dotvenv.enter()
    sys.path.insert(1, str(dotvenv.ROOT))
    calibrate(options)
