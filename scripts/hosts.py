"""Every GPU of a host, and the slow one among the GPUs of many hosts.

python3 scripts/hosts.py check --json host.jsonl     # every GPU of this host: a row each
python3 scripts/hosts.py rank *.jsonl --drain slow   # the lines of many hosts: which are slow, why

The exit code is 0 if all is as expected, 1 if something is slow, 2 if that could not be said.
"""

import argparse
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import NoReturn

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]  # the checkout

from scripts.setup import dotvenv
from scripts.words.shown import cannot_say

CANNOT_SAY = 2
NEEDED = "asv", "asv_runner", "msgspec", "numpy", "pandas", "pynvml", "rich", "scipy"


def arguments() -> argparse.Namespace:
    lines = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=lines)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="measure every GPU of this host")
    check.add_argument("--json", metavar="FILE", type=Path, help="write a line of JSON a GPU, too")
    told = "what it is called in the lines; if not said, as Slurm calls it, or as it calls itself"
    check.add_argument("--host", metavar="NAME", help=told)
    rank = commands.add_parser("rank", help="which of many hosts are slow, and why")
    rank.add_argument("files", nargs="+", metavar="FILE", type=Path, help="what check has written")
    told = "the names of the hosts that had to answer, a line each"
    rank.add_argument("--expected", metavar="FILE", type=Path, help=told)
    rank.add_argument("--markdown", metavar="FILE", type=Path, help="write it as Markdown, too")
    told = "write the names of the hosts to drain, too, a line each"
    rank.add_argument("--drain", metavar="FILE", type=Path, help=told)
    options = parser.parse_args()
    for name in "markdown", "drain":  # as a shell makes of --drain *.jsonl
        path = getattr(options, name, None)
        if path and (path.suffix == ".jsonl" or path in (*options.files, options.expected)):
            parser.error(f"{path} is not written over: --{name} takes a file for the answer")
    return options


def rank(options: argparse.Namespace) -> int:
    from scripts.hosts import answer

    return answer.rank(options.files, options.expected, options.markdown, options.drain)


def check(options: argparse.Namespace) -> int:
    from scripts.hosts import answer, check

    return answer.check(check.check(options.host), options.json)


def exit_code(options: argparse.Namespace) -> int:
    """Never 1 but for something slow: no error of a user's, the machine's or ours is that."""
    try:
        return {"check": check, "rank": rank}[options.command](options)
    except KeyboardInterrupt:
        cannot_say("interrupted")
    except (OSError, UnicodeError) as error:
        cannot_say(error)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python says it once more
    except Exception:
        traceback.print_exc()
    return CANNOT_SAY


def refuse(why: object) -> NoReturn:
    cannot_say(why)
    sys.exit(CANNOT_SAY)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = arguments()
    try:
        dotvenv.enter_for(*NEEDED)
    except SystemExit as error:  # with a text, and so with 1, which would be a finding
        refuse(error)
    code = exit_code(options)
    sys.stdout.flush()
    sys.exit(code)
