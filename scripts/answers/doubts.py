"""What makes a result doubtful, said where its numbers are read.

It comes from the runs that are recorded beside the result, by the same alarms that those runs ended
with (recording/facts.py), and from what the result itself shows of its noise and its age.
"""

import functools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pandas import DataFrame

from scripts.reading import chosen
from scripts.reading.results_file import OLDER
from scripts.recording import facts, gpu, host  # noqa: F401 - they have alarms
from scripts.setup import git, stack
from scripts.words.formats import count, percent
from scripts.words.thresholds import FEW_QUIET, unchanged
from scripts.words.vocabulary import TRANSFERS, kind

NEEDED = [  # of points.py's columns
    *("machine", "commit", "environment", "pcie_link", "operation", "method", "memory", "nbytes"),
    *("status", "visits", "processes", "processes_quiet", "log_sd", "relative_sd"),
]
Runs = Sequence[Mapping[str, Any]]  # as recording/provenance.py has them: `beside`


def of(run: DataFrame, runs: Runs, left_out: Sequence[str] = ()) -> list[str]:
    """What makes the result `run` doubtful, a sentence each; [] if nothing does.

    `run` has the rows of one result, at least one, in the table of reading/points.py, `runs` is
    what provenance.beside has of it, `left_out` what points.load left out.
    """
    transfers = chosen.transfers(run)
    found = [*of_runs(run, runs), *of_older(run, left_out)]
    if len(transfers):
        if not runs:
            found.append("Nothing is recorded of the driver, the link under load and throttling")
        found += [*of_age(transfers), *of_noise(transfers)]
    return [f"{text}." for text in dict.fromkeys(found)]


def of_runs(run: DataFrame, runs: Runs) -> Iterator[str]:
    """What was wrong while it was measured."""
    first = run.iloc[0]
    link = first["pcie_link"] if isinstance(first["pcie_link"], str) else None  # or NaN
    for one in runs:
        took = (one["ended"] - one["started"]) / 1000 if one["ended"] else math.inf
        about = {"machine link": link, "seconds": took}
        try:
            yield from facts.alarms({**one["facts"], **about})
            yield from other_stack(one["facts"], str(first["commit"]))
        except (TypeError, ValueError, AttributeError):  # a file that was changed by hand
            yield "What is recorded of it is broken: not all of it can be looked at"
    gpus = {str(one["facts"].get("gpu uuid hash")) for one in runs} - {"None"}
    if len(gpus) > 1:
        yield f"{len(gpus)} GPUs are in this one result: no number says which GPU it is of"


def other_stack(found: Mapping[str, Any], commit: str) -> Iterator[str]:
    """Which libraries were not those that the commit pins; nothing if git does not know it."""
    major = str(found.get("cuda runtime") or found.get("cuda driver")).partition(".")[0]
    name = f"cu{major}"
    if name in stack.NEEDS and "python" in found:
        wheels = {f"{method}-cuda{major}x": version for method, version in found.items()}
        pinned = pinned_by(commit, name, found["python"])
        yield from stack.unlike(pinned, {**found, **wheels}, f"{name}.txt")


@functools.cache
def pinned_by(commit: str, name: str, python: str) -> dict[str, str]:
    try:
        return stack.pins(git.text(commit, f"requirements/{name}.txt") or "", python)
    except (git.CannotSay, ValueError):
        return {}


def of_age(transfers: DataFrame) -> Iterator[str]:
    if transfers["visits"].isna().all() and transfers["method"].nunique() > 1:
        yield (
            "The libraries were not measured in turn, but minutes apart: what the host drifted by "
            "meanwhile is in every comparison"
        )


def of_noise(transfers: DataFrame) -> Iterator[str]:
    """Whether it is noisier, or its host was busier, than such results are."""
    processes = transfers["processes"].sum()
    if not processes or transfers["log_sd"].isna().all():
        yield "The noise is not known: no two numbers can be told apart"
        return
    quiet = transfers["processes_quiet"].sum()
    if quiet < FEW_QUIET * processes:
        yield f"The host was busy: {quiet} of {processes} processes were always on a quiet core"
    ratios = bool(transfers["relative_sd"].notna().any())
    column = "relative_sd" if ratios else "log_sd"
    known = transfers[transfers[column].notna()]
    facts = [known[name].tolist() for name in ("operation", "memory", "nbytes", column)]
    noisy = defaultdict(list)
    for operation, memory, nbytes, spread in dict.fromkeys(zip(*facts, strict=True)):
        if spread > unchanged(memory, nbytes, by_ratio=ratios):  # methods and dtypes are pooled
            noisy[kind(memory, nbytes)].append((spread, TRANSFERS[operation].into))
    for name, found in noisy.items():
        what = "a method beside the others varies by" if ratios else "the seconds vary by"
        spread = percent(100 * max(found)[0])
        into = {words for _, words in found}
        where = ", ".join([str(name), *into] if len(into) == 1 else [str(name)])
        yield f"Much noise: from process to process {what} {spread} ({where})"


def of_older(run: DataFrame, left_out: Sequence[str]) -> Iterator[str]:
    """What of it is left out, as it was measured with an older version of the benchmarks."""
    first = run.iloc[0]
    name = f"{first['machine']}/{str(first['commit'])[:8]}-{first['environment']}.json: "
    older = [line for line in left_out if line.startswith(name) and line.endswith(OLDER)]
    if older:
        number = count(len(older), "benchmark", "benchmarks")
        yield f"{number} of an older measurement model are left out: measure this machine anew"
