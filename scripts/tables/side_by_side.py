"""Recorded results side by side: the methods of one, or two of them method by method.

They come as sheets, tables of text for compare.py to print. A result is as chosen.py has it. Who
is faster is said only where intervals.py can tell.
"""

import math
from dataclasses import dataclass, field

import numpy

from scripts.reading import intervals
from scripts.words.formats import as_percent, duration, percent, rate, size
from scripts.words.vocabulary import DTYPE, KINDS, MEMORY, TRANSFERS, kind

COLD = {"import": "import", "context": "context", "first_copy": "first copy", "total": "in all"}


@dataclass
class Sheet:
    """A table of text with a title; `marks` are the (row, column) of what is fastest."""

    title: str
    header: list
    rows: list = field(default_factory=list)
    marks: set = field(default_factory=set)


def lines(result, operation, memory=None):
    """What was measured of one operation, with float32: {method: {nbytes: row}}.

    Operations that know no method have the one key None.
    """
    rows = result[(result["operation"] == operation) & (result["status"] == "ok")]
    rows = rows[rows["dtype"].isna() | (rows["dtype"] == DTYPE)]
    if memory:
        rows = rows[rows["memory"] == memory]
    found = {}
    for row in rows.to_dict("records"):
        method = row["method"] if isinstance(row["method"], str) else None
        found.setdefault(method, {})[int(row["nbytes"])] = row
    return found


def sizes(*found):
    """All sizes in the dictionaries that `lines` returns."""
    return sorted({nbytes for one in found for rows in one.values() for nbytes in rows})


def cell(found, method, nbytes):
    return rate(found.get(method, {}).get(nbytes, {}).get("gb_per_s", math.nan))


def methods(result, copies):
    """The methods of one result side by side, a Sheet for each operation and memory.

    Beside pinned memory stands the link's ceiling, beside pageable the host's own copy as the
    result `copies` has it. Only that copy, if no method was measured.
    """
    link, copy = lines(result, "link"), lines(copies, "copy")
    for operation, does in TRANSFERS.items():
        for memory in MEMORY:
            found = lines(result, operation, memory)
            limit, title = (link, "link") if memory == "pinned" else (copy, "host copy")
            header = ["size", *found, title, "fastest", "noise"]
            sheet = Sheet(f"{memory}, {does.title}", header)
            for nbytes in sizes(found):
                rates = [cell(found, method, nbytes) for method in found]
                group, said, noise = fastest(found, nbytes)
                sheet.marks |= {(len(sheet.rows), 1 + list(found).index(one)) for one in group}
                beside = cell(limit, None, nbytes)
                sheet.rows.append([size(nbytes), *rates, beside, said, noise])
            if sheet.rows:
                yield sheet
    yield from cold_start(result)
    if copy and not set(TRANSFERS) & set(result["operation"]):
        rows = [[size(nbytes), cell(copy, None, nbytes)] for nbytes in sizes(copy)]
        yield Sheet("NumPy to NumPy, on the host", ["size", "host copy"], rows)


def cold_start(result):
    """A Sheet of what the first transfer of a fresh interpreter takes, and the installation."""
    found = {}
    rows = result[result["benchmark"].str.startswith("cold_start.") & (result["status"] == "ok")]
    for row in rows.to_dict("records"):
        step = COLD.get(row["operation"])
        text = duration(row["seconds"]) if step else f"{row['installed_bytes'] / 1e6:.0f} MB"
        found.setdefault(row["method"], {})[step or "installed"] = text
    columns = [*COLD.values(), "installed"]
    known = [name for name in columns if any(name in steps for steps in found.values())]
    header = ["method", *known]
    rows = [[method, *(found[method].get(name, "n/a") for name in header[1:])] for method in found]
    if rows:
        yield Sheet("the first 1 KiB of a fresh interpreter", header, rows)


def fastest(found, nbytes):
    """The methods that none is told to be faster than, the same in words, the margin in words."""
    rows = {method: rows[nbytes] for method, rows in found.items() if nbytes in rows}
    best = min(rows, key=lambda method: rows[method]["seconds"])
    others = [method for method in rows if method != best]
    margins = [intervals.margin(rows[best], rows[other]) for other in others]
    if not others or numpy.isnan(margins).any():
        return [], "not known", "n/a"
    tied = [other for other in others if not intervals.differ(rows[best], rows[other])]
    said = f"{1 + len(tied)} tied" if tied else best
    return [best, *tied], said, percent(as_percent(max(margins)))


def two(one, other):
    """Two results method by method, a Sheet for each operation and memory, and one for the rest."""
    for operation, does in TRANSFERS.items():
        for memory in MEMORY:
            pair = [lines(result, operation, memory) for result in (one, other)]
            columns = {method: method for method in {**pair[0], **pair[1]}}
            yield from pairs(f"{memory}, {does.title}", columns, *pair)
    pair = [
        {name: lines(result, name).get(None, {}) for name in ("link", "copy")}
        for result in (one, other)
    ]
    yield from pairs("references", {"link": "link", "copy": "host copy"}, *pair)


def pairs(title, columns, left, right):
    """A Sheet of left > right, left < right or left ~ right (not told apart), if there is any."""
    sheet = Sheet(title, ["size", *columns.values(), "noise"])
    for nbytes in sizes(left, right):
        cells, margins = [], []
        for name in columns:
            rows = [found.get(name, {}).get(nbytes) for found in (left, right)]
            sign = "~"
            if all(rows):
                margins.append(intervals.margin(*rows, same_run=False))
                if intervals.differ(*rows, same_run=False):
                    sign = ">" if rows[0]["seconds"] < rows[1]["seconds"] else "<"
            one, other = (cell(found, name, nbytes) for found in (left, right))
            cells.append(f"{one} {sign} {other}" if all(rows) else f"{one} | {other}")
        noise = percent(as_percent(max(margins, default=math.nan)))
        sheet.rows.append([size(nbytes), *cells, noise])
    if sheet.rows:
        yield sheet


def count(one, other):
    """How many transfers both results have, all dtypes, and in how many each is faster."""
    keys = ["benchmark", "method", "memory", "dtype", "nbytes"]
    both = [
        result[result["operation"].isin(TRANSFERS) & (result["status"] == "ok")]
        .astype({key: object for key in keys})
        .set_index(keys)
        for result in (one, other)
    ]
    same = both[0].index.intersection(both[1].index)
    left, right = (result.loc[same].reset_index() for result in both)
    differ = intervals.differ(left, right, same_run=False)
    faster = left["seconds"] < right["seconds"]
    return len(same), int((differ & faster).sum()), int((differ & ~faster).sum())


def noise(result):
    """In words: how noisy a result is, above all how far the processes of a point lie apart."""
    if not result["processes"].sum():
        return "Nothing was recorded of the noise"
    rows = result[result["processes"].gt(1)]
    rows, copies = (rows[rows["operation"].eq(name)] for name in ("existing_array", "copy"))
    of = [kind(*row) for row in zip(rows["memory"], rows["nbytes"], strict=True)]
    kinds = {name: rows[numpy.array(of, object) == name] for name in KINDS}
    if rows.empty:  # no GPU
        kinds = {"NumPy to NumPy": copies}
    said = [
        "{:.1%} ({:.0%}) {}".format(*kind["process_spread"].quantile([0.5, 0.95]), name)
        for name, kind in kinds.items()
        if len(kind)
    ]
    if not said:
        return "one process a point: nothing is known of the noise"
    quiet = f"{result['processes_quiet'].sum()} of {result['processes'].sum()} processes"
    return (
        f"{quiet} all the time on a quiet core; the processes of a point differ by "
        f"(median, 95th percentile) {'; '.join(said)}"
    )
