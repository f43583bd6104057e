"""Write one of the report's charts as an SVG or PNG file, for a README or an issue.

python3 scripts/draw.py bandwidth bandwidth.svg --machine nvidia-h200
python3 scripts/draw.py latency latency.png --memory pageable --operation new
python3 scripts/draw.py history history.svg --size "4 MiB"

A chart shows one machine: the one named, or the one whose fastest transfer is the fastest of all.
`machines` shows all. It says which GPU, link, commit and date it is of. `history` shows one series
of each method: pinned memory, an existing array and the largest size, unless told otherwise.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]  # the checkout

from scripts.setup import dotvenv

if __name__ == "__main__":
    dotvenv.enter_for_tables("altair", "vl_convert")

from asv.util import UserError

from scripts.report_page import drawn, look
from scripts.words.shown import plain
from scripts.words.vocabulary import MEMORY


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chart", choices=drawn.NAMES)
    parser.add_argument("file", help="where to, ending in .svg or .png")
    parser.add_argument("--machine", metavar="NAME")
    parser.add_argument("--memory", choices=MEMORY, help="only transfers of this memory")
    parser.add_argument("--operation", choices=drawn.INTO, help="only transfers into such an array")
    parser.add_argument("--size", metavar="SIZE", help="only arrays of this size, such as '4 MiB'")
    options = parser.parse_args(words)
    try:
        chart = drawn.chart(
            options.chart,
            options.machine,
            memory=options.memory,
            operation=options.operation,
            nbytes=options.size,
        )
        look.save(chart, options.file)
    except (UserError, ValueError, OSError) as error:
        sys.exit(plain(str(error)))


if __name__ == "__main__":
    main()
