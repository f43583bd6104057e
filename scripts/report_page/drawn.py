"""One of the report's charts, for a file.

A chart shows one machine: the one named, or the one whose fastest transfer is the fastest of all.
`machines` shows all.
"""

from scripts.reading import points
from scripts.report_page import charts, page, timeline

CHARTS = {
    "bandwidth": charts.bandwidth,
    "latency": charts.latency,
    "dtypes": charts.dtypes,
    "machines": charts.machines,
}


def of_machine(table, machine=None):
    """The rows of `machine`, or of the fastest. ValueError if it has no results with a GPU."""
    rows = page.newest(table)
    transfers = rows[rows["operation"].eq("existing_array") & rows["status"].eq("ok")]
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
