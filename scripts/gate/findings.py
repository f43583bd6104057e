"""What a verdict found, method by method, as data."""

from scripts.words.formats import size
from scripts.words.vocabulary import operation


def findings(found, word):
    """What became `word`, the most first: one dict a method and memory.

    `parts` are (name, change, bound) of its families that did and of its series, each the most
    first; the series before the families if one of them moved unlike its family. `change` is the
    first part's. Changes are logarithms.
    """
    families, series = (
        rows[rows["found"] == word].sort_values("change", key=abs, ascending=False)
        for rows in (found.families, found.series)
    )
    ones = []
    for method, memory in dict.fromkeys(map(place, [*records(families), *records(series)])):
        ours, mine = (
            [row for row in records(rows) if place(row) == (method, memory)]
            for rows in (families, series)
        )
        named = [(family_name(row), row) for row in ours], [(series_name(row), row) for row in mine]
        if any(unlike(row, family) for row in mine for family in ours):
            named = named[::-1]
        parts = [(name, row["change"], row["bound"]) for rows in named for name, row in rows]
        ones.append(dict(method=method, memory=memory, change=parts[0][1], parts=parts))
    return sorted(ones, key=lambda one: -abs(one["change"]))


def records(rows):
    return rows.to_dict("records")


def place(row):
    return row["method"], row["memory"]


def unlike(row, family):
    """Whether a series changed by another amount than its family did."""
    return row["kind"] == family["kind"] and abs(row["change"] - family["change"]) > row["bound"]


def family_name(row):
    kind = row["kind"].removeprefix("pinned, ")
    return f"all {row['members']} series" + ("" if kind == "pageable" else f", {kind}")


def series_name(row):
    name = operation(row["benchmark"]).replace("_", " ")
    return f"{name}, {size(int(row['nbytes']))} {row['dtype']}".strip()
