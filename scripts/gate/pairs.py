"""From visits to series: which point of the grid each visit was of, and what it changed by."""

import pandas

from scripts.words.vocabulary import Series, kind, series

SERIES = list(Series._fields)
VISIT = ["round", "servers", "change"]
FEWEST = 4  # visits that a series is judged by


def of(visits):
    """A row a visit that measured: SERIES, VISIT and kind; change is a logarithm, HEAD over BASE.

    `visits` are the lines of a recording.
    """
    rows = [
        (*series(line["benchmark"], line["parameters"]), *(line[name] for name in VISIT))
        for line in visits
        if "change" in line and line["parameters"].get("nbytes")
    ]
    table = pandas.DataFrame(rows, columns=[*SERIES, *VISIT])
    table["kind"] = [kind(*row) for row in zip(table["memory"], table["nbytes"], strict=True)]
    return table.sort_values([*SERIES, "round"], ignore_index=True)
