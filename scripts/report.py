"""The report: a page with the recorded results as charts and tables, which needs no network.

python3 scripts/report.py                   # into .asv/html/report.html
python3 scripts/report.py --output FILE

`asv publish` makes it too, beside asv's own pages. report_page/page.py says what is on it.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]  # the checkout

from scripts.setup import dotvenv

if __name__ == "__main__":
    dotvenv.enter_for("asv", *dotvenv.REPORT)

from asv.util import UserError

from scripts.reading.points import RESULTS
from scripts.report_page import page
from scripts.words.shown import plain, say_left_out

OUTPUT = dotvenv.ROOT / ".asv" / "html" / "report.html"


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", metavar="FILE", default=OUTPUT, type=Path)
    parser.add_argument("--results", metavar="FOLDER", default=RESULTS, type=Path)
    options = parser.parse_args(words)
    if options.output.suffix == ".json":
        parser.error(f"{options.output} is where the change points would go, beside the page")
    try:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        left_out = page.write(options.output, options.results)
    except (UserError, OSError) as error:
        sys.exit(plain(str(error)))
    say_left_out(left_out)
    print(f"The report is {options.output}")


if __name__ == "__main__":
    main()
    print(end="", flush=True)  # here it is one line if it fails
