"""From processes to pairs: how much longer the second side took, visit by visit, at one clock.

A visit's two processes ran next to each other, so that most of what moves on the machine is in
both. What is left of it is the cores' clock, which the sentinel tells (noise.at_clock), and cores
that were not quiet: such visits count only where there are not enough quiet ones.
"""

import noise
import numpy
import pandas
from intervals import LARGE
from regression.recording import PARAMETERS

QUIET = 1.12  # as in benchmarks/measure.py
SERIES = ["benchmark", "method", "memory", "dtype", "nbytes"]
FEWEST = 4  # visits that a series is judged by
SHARE = 0.05  # of the processes: that fast are the quiet level's


def level(processes):
    """The quiet level: the sentinel's seconds that the fastest SHARE of `processes` have; None if
    there are too few of them to tell.

    That of a run's first moment, which benchmarks/measure.py takes, is too high if all cores are
    slow just then, and everything would count as quiet.
    """
    sentinels = [line["sentinel"] for line in processes if "seconds" in line]
    return float(numpy.quantile(sentinels, SHARE)) if len(sentinels) >= 1 / SHARE else None


def clean(samples, quiet, sentinel, level):
    """Whether a process had a quiet core all the time."""
    return (quiet >= samples) & (level is None or sentinel <= QUIET * level)


def kind(memory, nbytes):
    """'pinned, below': the transfers that are alike; what is not pinned is as pageable."""
    if memory != "pinned":
        return "pageable"
    return "pinned, 4 MiB and more" if nbytes >= LARGE else "pinned, below"


def named(operation, method, memory, dtype):
    """The series' method, memory and dtype, where the benchmark has no such parameter, too."""
    if memory is None:
        memory = "pinned" if operation == "link" else "pageable"
    return method or operation, memory, dtype or ""


def series_of(point):
    """The values of SERIES of a point to measure."""
    has = point.parameters.get
    operation = point.benchmark.rsplit(".", 1)[1].removeprefix("time_")
    names = named(operation, has("method"), has("memory"), has("dtype"))
    return point.benchmark, *names, has("nbytes")


def of(table):
    """A row a visit: SERIES, round, kind, quiet, and change, the logarithm of HEAD over BASE.

    `table` is recording.table's. A series' quiet visits come first; where they are fewer than
    FEWEST, the least noisy of the others fill up.
    """
    # Of a visit that was interrupted and made again, the processes made last.
    rows = table.drop_duplicates(["benchmark", *PARAMETERS, "round", "side"], keep="last")
    rows = rows.dropna(subset="nbytes").copy()
    operation = rows["benchmark"].str.rsplit(".", n=1).str[1].str.removeprefix("time_")
    link = operation.eq("link")
    columns = ["method", "memory", "dtype"]
    given = rows[columns].astype(object).where(rows[columns].notna(), None)
    names = zip(operation, *(given[name] for name in columns), strict=True)
    rows[columns] = pandas.DataFrame([named(*row) for row in names], rows.index, columns)
    lowest = level(table.to_dict("records"))
    rows["quiet"] = clean(rows["samples"], rows["quiet"], rows["sentinel"], lowest)
    floor = rows["nbytes"].map(rows[link].groupby("nbytes")["seconds"].median())
    floor = floor.where(floor.notna() & ~link, rows["seconds"])  # then nothing follows the clock
    reference = rows["sentinel"].median()
    rows["log"] = numpy.log(noise.at_clock(rows["seconds"], floor, rows["sentinel"], reference))
    index = [*SERIES, "round"]
    found = rows.pivot_table(index=index, columns="side", values=["log", "quiet", "sentinel"])
    if found.empty or not {0, 1} <= set(rows["side"]):
        return pandas.DataFrame(columns=[*index, "change", "quiet", "kind"])
    found = found.dropna()
    visits = pandas.DataFrame(
        {
            "change": found["log"][1] - found["log"][0],
            "quiet": found["quiet"].min(axis=1).astype(bool),
            "noisy": found["sentinel"].max(axis=1),
        }
    ).reset_index()
    visits["kind"] = [kind(*row) for row in zip(visits["memory"], visits["nbytes"], strict=True)]
    visits["noisy"] = visits["noisy"].where(~visits["quiet"], 0.0)
    visits = visits.sort_values([*SERIES, "noisy", "round"], ignore_index=True)
    place = visits.groupby(SERIES, sort=False).cumcount()
    visits = visits[visits["quiet"] | (place < FEWEST)]
    return visits.drop(columns="noisy").reset_index(drop=True)
