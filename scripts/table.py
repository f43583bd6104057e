"""Recorded results as a table of GB/s (1e9 bytes a second), for the terminal and for Markdown.

python3 scripts/bench.py                                # ends with the table for the terminal
.venv/bin/python scripts/table.py --markdown MACHINE    # the README's
"""

import argparse
import ast
import itertools
import sys
from dataclasses import dataclass
from pathlib import Path

from asv.results import iter_results
from asv.util import is_na
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).resolve().parent.parent / "results"
EXISTING = "host_to_device.HostToDevice.time_existing_array"
LINK = "reference.Link.time_link"
COPY = "reference.HostCopy.time_copy"


@dataclass
class Run:
    """One commit on one machine; `seconds` is by benchmark and its parameters, in their order."""

    machine: str
    date: int  # of the commit, milliseconds
    measured: int  # when the last benchmark started, milliseconds
    seconds: dict

    def rate(self, *point):
        """GB/s of the point (benchmark, *parameters), whose last is bytes; None if it has none."""
        seconds = self.seconds.get(point)
        return seconds and point[-1] / seconds / 1e9

    def points(self, benchmark):
        return [point for point in self.seconds if point[0] == benchmark]


def load(results=RESULTS):
    """All the runs recorded under the folder `results`, the one measured last at the end."""
    runs = []
    for result in iter_results(str(results)):
        seconds = {}
        for name in result.get_all_result_keys():
            params = result.get_result_params(name)
            values = result.get_result_value(name, params)
            for reprs, value in zip(itertools.product(*params), values, strict=True):
                if not is_na(value):
                    seconds[name, *map(ast.literal_eval, reprs)] = value
        measured = max(result.started_at.values(), default=0)
        runs.append(Run(result.params["machine"], result.date, measured, seconds))
    return sorted(runs, key=lambda run: run.measured)


def newest(runs, machine):
    """The run of the newest commit that has GPU results of `machine`."""
    gpu = [run for run in runs if run.machine == machine and run.points(EXISTING)]
    if not gpu:
        sys.exit(f"There are no GPU results of a machine called {machine!r}")
    return max(gpu, key=lambda run: run.date)


def size(nbytes):
    """1048576 -> '1 MiB'"""
    for unit in "B", "KiB", "MiB":
        if nbytes < 1024:
            return f"{nbytes} {unit}"
        nbytes //= 1024
    return f"{nbytes} GiB"


def best(run, memory, nbytes):
    """The fastest float32 transfer into an existing array, as (GB/s, method), or None."""
    rates = [
        (run.rate(*point), point[1])
        for point in run.points(EXISTING)
        if point[2:] == (memory, "float32", nbytes)
    ]
    return max(rates, default=None)


def cell(value):
    if value is None:
        return ""
    rate, method = value if isinstance(value, tuple) else (value, "")
    return f"{rate:.3g} {method}".rstrip()


def terminal(runs):
    """A table of the run measured last beside the best recorded GPU results."""
    mine = runs[-1]
    sizes = sorted({point[-1] for run in runs for point in run.points(EXISTING) + run.points(COPY)})
    with_gpu = [run for run in runs if best(run, "pinned", sizes[-1])]
    columns = {f"host copy, {mine.machine}": lambda n: mine.rate(COPY, "float32", n)}
    for run in {id(r): r for r in ([mine] if mine in with_gpu else [])}.values():
        for memory in "pinned", "pageable":
            columns[f"{memory}, {run.machine}"] = lambda n, r=run, m=memory: best(r, m, n)
    if with_gpu:
        fastest = max(with_gpu, key=lambda run: best(run, "pinned", sizes[-1]))
        for memory in "pinned", "pageable":
            columns[f"{memory}, {fastest.machine}"] = lambda n, m=memory: best(fastest, m, n)
    table = Table(
        "size",
        *columns,
        title="GB/s of one float32 array into an existing one, with the fastest method",
    )
    for nbytes in sizes:
        table.add_row(size(nbytes), *(cell(column(nbytes)) for column in columns.values()))
    return table


def markdown(run):
    """The four methods of `run`, pinned / pageable, as a Markdown table."""
    methods = list(dict.fromkeys(point[1] for point in run.points(EXISTING)))
    lines = [
        "| size | " + " | ".join(methods) + " | the link |",
        "|---:|" + "---:|" * (len(methods) + 1),
    ]
    for nbytes in sorted({point[-1] for point in run.points(EXISTING)}):
        cells = [
            " / ".join(
                cell(run.rate(EXISTING, method, memory, "float32", nbytes)) or "n/a"
                for memory in ("pinned", "pageable")
            )
            for method in methods
        ]
        cells.append(cell(run.rate(LINK, nbytes)))
        lines.append(f"| {size(nbytes)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", metavar="MACHINE", help="all the methods of this machine")
    options = parser.parse_args(words)
    runs = load()
    if options.markdown:
        print(markdown(newest(runs, options.markdown)))
    elif runs:
        Console().print(terminal(runs))
    else:
        sys.exit("There are no results yet: python3 scripts/bench.py makes some")


if __name__ == "__main__":
    main()
