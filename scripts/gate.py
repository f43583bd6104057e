"""The gate: finds what became slower between two commits, and knows how often it is wrong.

python3 scripts/gate.py calibrate           # how noisy is this machine: once, and when it changes
python3 scripts/gate.py compare BASE HEAD   # the stacks of two commits, measured here in turns
python3 scripts/gate.py bisect GOOD BAD     # the commit between them that made it slower
python3 scripts/gate.py history             # the steps in a machine's recorded results

The exit code is 0 if nothing became slower, 1 if something did, 2 if that could not be said.
"""

import argparse
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]  # the checkout

from scripts.setup import dotvenv
from scripts.words.shown import cannot_say, say

CANNOT_SAY = 2
INTERRUPTED = "interrupted; what was measured is kept, and the same command goes on from there"
NEEDED = {  # the modules, beside those for tables
    "calibrate": ["asv_runner", "pynvml"],
    "compare": ["asv_runner", "pynvml", "virtualenv"],
    "bisect": ["asv_runner", "pynvml", "virtualenv"],
    "history": ["pynvml"],
}


def arguments() -> argparse.Namespace:
    lines = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=lines)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add = {
        name: commands.add_parser(name, help=told, description=told[0].upper() + told[1:])
        for name, told in {
            "calibrate": "measure this machine's noise, and keep it with its results",
            "compare": "measure two commits' stacks in turns; is anything slower?",
            "bisect": "which commit between two made transfers slower?",
            "history": "the steps in a machine's recorded results",
        }.items()
    }
    add["calibrate"].add_argument(
        "--python", choices=["same"], help="same: with the libraries that this Python has"
    )
    told = "of each point and side; 4 if not said"
    add["calibrate"].add_argument("--processes", type=count, default=4, help=told)
    add["compare"].add_argument("base", metavar="BASE", help="the commit to compare with")
    add["compare"].add_argument("head", metavar="HEAD", help="the commit in question")
    add["bisect"].add_argument("good", metavar="GOOD", help="a commit that is fast")
    add["bisect"].add_argument("bad", metavar="BAD", help="a later commit that is slower")
    for name in "calibrate", "compare", "bisect":
        add[name].add_argument(
            "-b", "--bench", action="append", metavar="REGEX", help="these points only, as in asv"
        )
        told = "to measure; 60 if not said" + "; of each commit" * (name == "bisect")
        add[name].add_argument("--budget", type=minutes, default=60.0, metavar="MINUTES", help=told)
    told = "a folder of results/; not needed if it is the only one"
    add["history"].add_argument("machine", nargs="?", metavar="MACHINE", help=told)
    for name in "compare", "bisect", "history":
        add[name].add_argument("--markdown", metavar="FILE", help="write it as Markdown, too")
        add[name].add_argument("--json", metavar="FILE", help="write it as JSON, too")
    return parser.parse_args()


def count(text: str) -> int:
    if not text.isdigit() or int(text) < 4:
        raise argparse.ArgumentTypeError(f"{text} is no number from 4 on")
    return int(text)


def minutes(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is no number of minutes")
    return number


def answered(options: argparse.Namespace) -> Any:
    """What the command came to: an answer of gate/, which has a code, text, and so on."""
    from asv.util import ProcessError, UserError

    from scripts.gate import answer, recording
    from scripts.reading.chosen import NoSuchResult

    try:
        if options.command == "history":
            from scripts.gate import recorded

            return recorded.history(options)
        from scripts.gate import bisecting, running

        where = bisecting if options.command == "bisect" else running
        return getattr(where, options.command)(options)
    except KeyboardInterrupt:
        return answer.CannotSay(INTERRUPTED)
    except (UserError, ProcessError, NoSuchResult, recording.Broken, OSError) as error:
        asv_was = str(error) == "Interrupted."
        return answer.CannotSay(INTERRUPTED if asv_was else error)


def main(options: argparse.Namespace) -> int:
    from asv.console import log

    came = answered(options)
    code = came.code
    for name in "markdown", "json":  # before what may end in a closed pipe
        if path := getattr(options, name, None):
            try:
                Path(path).write_text(getattr(came, name)())
            except OSError as error:
                say(f"Cannot write: {error}", sys.stderr)
                code = CANNOT_SAY
    log.flush()
    sys.stdout.flush()
    say(came.text(), sys.stderr if came.code == CANNOT_SAY else sys.stdout)
    sys.stdout.flush()
    return code


def exit_code(options: argparse.Namespace) -> int:
    """Never 1 but for a slowdown: no error of a user's, the machine's or ours is a finding."""
    try:
        return main(options)
    except KeyboardInterrupt:
        cannot_say("interrupted")
    except OSError as error:
        cannot_say(error)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python says it once more
    except Exception:
        traceback.print_exc()
    return CANNOT_SAY


def refuse(why: object) -> NoReturn:
    cannot_say(why)
    sys.exit(CANNOT_SAY)


def prepare(options: argparse.Namespace) -> None:
    """Look whether its files can be written, and go on in a Python that has what it needs."""
    for name in "markdown", "json":
        if (path := getattr(options, name, None)) is not None:
            setattr(options, name, os.path.abspath(path))
            folder = os.path.dirname(os.path.abspath(path))
            if not path or os.path.isdir(path) or not os.path.isdir(folder):
                refuse(f"{path!r} is a folder, or in one that is not there")
            if not os.access(path if os.path.exists(path) else folder, os.W_OK):
                refuse(f"{path} cannot be written")
    os.chdir(dotvenv.ROOT)
    needed = NEEDED[options.command]
    lacking = dotvenv.missing(*dotvenv.TABLES, *needed)
    if lacking and getattr(options, "python", None):
        refuse(f"this Python has no {', '.join(lacking)}")
    try:
        dotvenv.enter_for_tables(*needed)
    except SystemExit as error:  # with a text, and so with 1, which would be a finding
        refuse(error)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = arguments()
    try:
        prepare(options)
    except OSError as error:
        refuse(error)
    sys.exit(exit_code(options))
