"""From visits to series: which point of the grid each visit was of, and what it changed by."""

from collections.abc import Iterable
from typing import Any

import pandas

from scripts.words.vocabulary import Series, direction, kind, operation, series

SERIES = list(Series._fields)
VISIT = ["round", "visit", "servers", "change"]
FEWEST = 4  # visits that a series is judged by


def of(visits: Iterable[dict[str, Any]]) -> pandas.DataFrame:
    """A row a series of a visit that measured it: SERIES, VISIT, direction and kind.

    `change` is a logarithm, HEAD over BASE. `visits` are the lines of a recording.
    """
    rows = [
        (*series(line["benchmark"], line["parameters"]), *(line[name] for name in VISIT))
        for line in visits
        if "change" in line and line["parameters"].get("nbytes")
    ]
    table = pandas.DataFrame(rows, columns=[*SERIES, *VISIT])
    table["direction"] = [direction(operation(name)) for name in table["benchmark"]]
    table["kind"] = [kind(*row) for row in zip(table["memory"], table["nbytes"], strict=True)]
    return table.sort_values([*SERIES, "round"], ignore_index=True)
