"""What a verdict found, method by method, as data."""

import math
from collections.abc import Mapping
from typing import Any

import pandas

from scripts.gate.verdict import Verdict
from scripts.words.formats import size
from scripts.words.vocabulary import family, operation

Row = Mapping[str, Any]
PLACE = "method", "memory", "direction"
LIKE = 0.5  # of a change: the other methods' is like it from there on


def findings(found: Verdict, word: str) -> list[dict[str, Any]]:
    """What became `word`, the most first: one dict a method, memory and direction.

    `parts` are (name, change, bound) of its families that did and of its series, each the most
    first; the series before the families if one of them moved unlike its family. `change` is the
    first part's, `others` what the other methods did there, in the same visits, None without any.
    Changes are logarithms.
    """
    families, series = (
        rows[rows["found"] == word].sort_values("change", key=abs, ascending=False)
        for rows in (found.families, found.series)
    )
    ones: list[dict[str, Any]] = []
    for about in dict.fromkeys(map(place, [*records(families), *records(series)])):
        ours, mine = (
            [row for row in records(rows) if place(row) == about] for rows in (families, series)
        )
        whole = [(family_name(row), row) for row in ours]
        single = [(series_name(row), row) for row in mine]
        apart = any(unlike(row, family) for row in mine for family in ours)
        both = single + whole if apart else whole + single
        parts = [(name, row["change"], row["bound"]) for name, row in both]
        (_, first), *_ = both
        others = None if math.isnan(first["others"]) else first["others"]
        moved = {"change": first["change"], "others": others, "parts": parts}
        ones.append(dict(zip(PLACE, about, strict=True), name=family(*about)) | moved)
    return sorted(ones, key=lambda one: -abs(one["change"]))


def like_the_others(one: Row) -> bool:
    """Whether a finding's other methods changed as it did: what they share changed."""
    return one["others"] is not None and one["others"] / one["change"] >= LIKE


def records(rows: pandas.DataFrame) -> list[Row]:
    return rows.to_dict("records")


def place(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in PLACE)


def unlike(row: Row, family: Row) -> bool:
    """Whether a series changed by another amount than its family did."""
    return row["kind"] == family["kind"] and abs(row["change"] - family["change"]) > row["bound"]


def family_name(row: Row) -> str:
    kind = row["kind"].removeprefix("pinned, ")
    return f"all {row['members']} series" + ("" if kind == "pageable" else f", {kind}")


def series_name(row: Row) -> str:
    name = operation(row["benchmark"]).replace("_", " ")
    return f"{name}, {size(int(row['nbytes']))} {row['dtype']}".strip()
