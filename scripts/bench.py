"""Measure what this machine can, publish it with the recorded results, and say what they answer.

python3 scripts/bench.py                 # needs Python 3.11 or later, and nothing else
python3 scripts/bench.py --full          # every dtype, where there is a GPU
python3 scripts/bench.py --python=same   # with the libraries that this Python has
python3 scripts/bench.py --stack=cu12    # with other pins than the driver would choose
python3 scripts/bench.py -- ARGUMENTS    # what follows -- goes to `asv run`
"""

import argparse
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]  # the checkout

from scripts.setup import children, dotvenv, git, stack

SOME_FAILED = 2  # asv run's exit code when it has recorded the others
BUSY = 75  # its exit code, and ours, when another run measures (asv_plugin)
FIRST = "the libraries are installed first, once"
NEEDED = {
    "asv": "asv==0.6.6",
    "asv_runner": "asv_runner==0.3.2",
    "msgspec": "msgspec",
    "pynvml": "nvidia-ml-py",
    "rich": "rich",
    "numpy": "numpy",
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="every dtype, not float32 alone")
    parser.add_argument(
        "--python",
        choices=["same"],
        help="same: measure with the libraries that this Python has, instead of an environment "
        "made from requirements/",
    )
    parser.add_argument(
        "--stack",
        choices=stack.NEEDS,
        help="install these pins of requirements/, whatever the driver would choose",
    )
    parser.add_argument("asv", nargs="*", metavar="-- ARGUMENTS", help="passed on to `asv run`")
    return parser.parse_args()


def asv(*words: str) -> int:
    """Run an asv command where everybody can see it; returns its exit code."""
    command = [sys.executable, "-m", "asv", *words]
    with subprocess.Popen(command, preexec_fn=children.ending_with_us()) as process:
        before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            return process.wait()
        except KeyboardInterrupt:  # asv got it too, and may end in its own way
            with contextlib.suppress(KeyboardInterrupt, subprocess.TimeoutExpired):
                return process.wait(timeout=10)
            process.kill()
            raise
        finally:
            signal.signal(signal.SIGTERM, before)


def answer() -> None:
    """What is recorded says, in sentences, as far as this Python can."""
    if not dotvenv.missing(*dotvenv.TABLES):
        print()
        command = [sys.executable, "scripts/compare.py", "--answers"]
        subprocess.run(command, preexec_fn=children.ending_with_us())
    print("The numbers, as tables, and more answers: python3 scripts/compare.py", flush=True)


def parts(full: bool) -> list[str]:
    """What to measure, as regular expressions for asv; everything if there are none."""
    if stack.cuda_version() is None:
        step(f"No NVIDIA driver here: measuring the host's own copies, half a minute; {FIRST}")
        return ["HostCopy", "Harness"] if full else ["HostCopy.*float32", "Harness.*none"]
    if full:
        step(f"Measuring everything: nine minutes on an H100; {FIRST}")
        return []
    step(f"Measuring float32 with all libraries: under two minutes on an H100; {FIRST}")
    return ["float32", r"time_link\(", "Harness"]


def step(what: str) -> None:
    """What is done next, and how long that takes."""
    print(f"\n{what}", flush=True)


def main(options: argparse.Namespace) -> int:
    os.chdir(dotvenv.ROOT)
    os.environ["ASV_IN_SHORT"] = "yes"  # scripts/asv_plugin/in_short.py
    words = ["--environment=existing:same"] if options.python == "same" else []
    from asv.commands import make_argparser  # of .venv, or what there is with --python=same

    make_argparser()[0].parse_args(["run", *words, *options.asv])  # its 2 is not SOME_FAILED
    if any(word.startswith(("-b", "--bench")) for word in options.asv):
        step(f"Measuring what is asked for; {FIRST}")
    else:
        words += [f"--bench={part}" for part in parts(options.full)]
    measured = asv("run", *words, *options.asv)
    if measured == BUSY:
        step("What is recorded meanwhile:")
        answer()
        return BUSY
    if measured not in (0, SOME_FAILED):
        return measured
    step("Publishing what is recorded: a quarter of a minute")
    published = asv("publish")
    if published:
        answer()
        return measured or published
    print()
    site = dotvenv.ROOT / ".asv" / "html"
    python = shlex.quote(sys.executable)
    report = site / "report.html"
    if report.exists():
        print(f"The report, which a browser opens from its file, is {report}")
    print(f"The site with all results is in {site}. To look at it:")
    print(f"  cd {shlex.quote(str(dotvenv.ROOT))} && {python} -m asv preview")
    print("and go with a browser to the address that it says")
    answer()
    if measured:
        print("\nSome points failed; above it says which, and why", file=sys.stderr)
    return measured


def check_history() -> None:
    """What asv records, it records by commit."""
    if not shutil.which("git"):
        sys.exit("There is no git here: results belong to commits")
    if not (dotvenv.ROOT / ".git").exists():
        sys.exit("This folder is no git clone, and results belong to commits: `git clone` it")
    try:
        git.ask("rev-parse", "--verify", "HEAD")
    except git.CannotSay as error:
        sys.exit(f"Results belong to commits. {error}")


if __name__ == "__main__":
    options = arguments()
    check_history()
    if options.stack:
        os.environ["STACK"] = options.stack
    if options.python != "same":
        dotvenv.enter()
    elif missing := dotvenv.missing(*NEEDED):
        install = " ".join(NEEDED[name] for name in missing)
        sys.exit(f"This Python has no {', '.join(missing)}: pip install {install}")
    elif libraries := os.environ.get("PYTHONPATH"):  # which asv would hide from the benchmarks
        os.environ.setdefault("ASV_PYTHONPATH", libraries)
    try:
        sys.exit(main(options))
    except KeyboardInterrupt:
        sys.exit("Interrupted")
