"""The report: a page with the recorded results as charts and tables, which needs no network.

python3 scripts/report.py                   # into .asv/html/report.html
python3 scripts/report.py --output FILE

`asv publish` makes it too, beside asv's own pages. report_parts/page.py says what is on it.
"""

import argparse
import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = "altair", "jinja2", "pandas", "scipy", "vl_convert"
OUTPUT = ROOT / ".asv" / "html" / "report.html"
RESULTS = ROOT / "results"


def missing():
    """The libraries of the report that this Python does not have."""
    return [name for name in NEEDED if not importlib.util.find_spec(name)]


def main(words=None):
    from asv.util import UserError
    from report_parts import page

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", metavar="FILE", default=OUTPUT, type=Path)
    parser.add_argument("--results", metavar="FOLDER", default=RESULTS, type=Path)
    options = parser.parse_args(words)
    try:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        left_out = page.write(options.output, options.results)
    except (UserError, OSError) as error:
        sys.exit(str(error))
    for line in left_out:
        print(f"Left out: {line}", file=sys.stderr)
    print(f"The report is {options.output}")


if __name__ == "__main__":
    import dotvenv

    if missing():
        dotvenv.enter()
    main()
    print(end="", flush=True)  # here it is one line if it fails
