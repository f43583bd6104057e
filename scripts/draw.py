"""Write one of the report's charts as an SVG or PNG file, for a README or an issue.

python3 scripts/draw.py bandwidth bandwidth.svg --machine nvidia-h200
python3 scripts/draw.py latency latency.png --machine nvidia-h200

A chart shows one machine: the one named, or the one whose fastest transfer is the fastest of all.
`machines` shows all.
"""

import argparse
import sys

if __name__ == "__main__":
    import dotvenv

    dotvenv.enter_for_tables("altair", "vl_convert")

import points
from asv.util import UserError
from report_parts import charts, look, page, timeline

CHARTS = {
    "bandwidth": charts.bandwidth,
    "latency": charts.latency,
    "dtypes": charts.dtypes,
    "machines": charts.machines,
}


def of_machine(table, machine=None):
    """The rows of `machine`, or of the fastest. ValueError if it has no results with a GPU."""
    rows = page.newest(table)
    transfers = rows[rows["benchmark"].eq(points.EXISTING) & rows["status"].eq("ok")]
    if machine is None and len(transfers):
        machine = transfers.loc[transfers["gb_per_s"].idxmax(), "machine"]
    if machine not in set(transfers["machine"]):
        raise ValueError(f"There are no GPU results{f' of a machine {machine!r}' * bool(machine)}")
    return table[table["machine"].eq(machine)]


def chart(name, machine=None, results=points.RESULTS):
    """The chart `name`, with its legend. UserError, ValueError: there is nothing to draw."""
    table, _ = points.load(results)
    if name != "machines":
        table = of_machine(table, machine)
    if name == "history":
        rows = timeline.series(table)
        return timeline.chart(rows, timeline.steps(rows), static=True)
    return CHARTS[name](page.newest(table), static=True)


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chart", choices=[*CHARTS, "history"])
    parser.add_argument("file", help="where to, ending in .svg or .png")
    parser.add_argument("--machine", metavar="NAME")
    options = parser.parse_args(words)
    try:
        look.save(chart(options.chart, options.machine), options.file)
    except (UserError, ValueError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
