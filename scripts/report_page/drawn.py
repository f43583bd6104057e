"""One of the report's charts, for a file."""

from pathlib import Path

import altair
import pandas

from scripts.reading import points
from scripts.report_page import page
from scripts.report_page.charts import CHARTS, OVER_TIME

NAMES = *CHARTS, *OVER_TIME


def of_machine(table: pandas.DataFrame, machine: str | None = None) -> pandas.DataFrame:
    """The rows of `machine`, or of the fastest. ValueError if it has no results with a GPU."""
    rows = page.newest(table)
    transfers = rows[rows["operation"].eq("existing_array") & rows["status"].eq("ok")]
    if machine is None and len(transfers):
        machine = transfers.loc[transfers["gb_per_s"].idxmax(), "machine"]
    if machine not in set(transfers["machine"]):
        raise ValueError(f"There are no GPU results{f' of a machine {machine!r}' * bool(machine)}")
    return table[table["machine"].eq(machine)]


def chart(
    name: str, machine: str | None = None, results: str | Path = points.RESULTS
) -> altair.TopLevelMixin:
    """The chart `name`, with its legend. UserError, ValueError: there is nothing to draw."""
    table, _ = points.load(results)
    if name != "machines":
        table = of_machine(table, machine)
    if name in OVER_TIME:
        changes = {one: found for one, (found, _) in page.histories_of(table, results).items()}
        return OVER_TIME[name].draw(table, changes, static=True)
    found = CHARTS[name].draw(page.newest(table), static=True)
    if found is None:
        raise ValueError(f"There is nothing to draw: no {name} was measured there")
    return found
