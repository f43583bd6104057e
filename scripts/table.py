"""Recorded results as tables of GB/s (1e9 bytes a second).

.venv/bin/python scripts/table.py                       # what was measured last; the best GPU
.venv/bin/python scripts/table.py --markdown MACHINE    # the README's
"""

import argparse
import ast
import itertools
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import noise
from asv.results import Results, iter_results_paths
from asv.util import UserError, is_na
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

RESULTS = Path(__file__).resolve().parent.parent / "results"
EXISTING = "host_to_device.HostToDevice.time_existing_array"
LINK = "reference.Link.time_link"
COPY = "reference.HostCopy.time_copy"
MEMORY = "pinned", "pageable"
MIB = 1 << 20


@dataclass
class Run:
    """One commit on one machine; the dictionaries' keys are (benchmark, *parameters)."""

    machine: str
    commit: str
    date: int  # of the commit, milliseconds
    measured: int  # when the last benchmark started, milliseconds
    seconds: dict
    samples: dict  # those of each process behind each other
    noise: dict  # as noise.py loads it

    def rate(self, *point):
        """GB/s of a point whose last parameter is bytes; None if it was not measured."""
        seconds = self.seconds.get(point)
        return seconds and point[-1] / seconds / 1e9

    def methods(self):
        return list(dict.fromkeys(point[1] for point in self.seconds if point[0] == EXISTING))


def load(results=RESULTS):
    """All the runs recorded under the folder `results`, the one measured last at the end.

    A file that cannot be read is left out, and named on stderr.
    """
    runs = []
    for folder, name, machine in iter_results_paths(str(results)):
        path = Path(folder, name)
        try:
            runs.append(read(path, machine))
        except (UserError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            print(f"Left out: {path}: {error}", file=sys.stderr)
    return sorted(runs, key=lambda run: run.measured)


def read(path, machine):
    """The run of one results file."""
    result = Results.load(str(path), machine_name=machine)
    points = noise.load(noise.path_beside(path))
    measured = max(result.started_at.values(), default=0)
    run = Run(machine, result.commit_hash, result.date, measured, {}, {}, points)
    for name in result.get_all_result_keys():
        params = result.get_result_params(name)
        values = result.get_result_value(name, params)
        samples = result.get_result_samples(name, params)
        for reprs, value, taken in zip(itertools.product(*params), values, samples, strict=True):
            if not is_na(value):
                key = (name, *map(ast.literal_eval, reprs))
                run.seconds[key], run.samples[key] = float(value), taken or []
    return run


def newest(runs, machine):
    """The run of the newest commit that has GPU results of `machine`."""
    with_gpu = [run for run in runs if run.machine == machine and run.methods()]
    if not with_gpu:
        sys.exit(f"There are no GPU results of a machine called {machine!r}")
    return max(with_gpu, key=lambda run: (run.date, run.measured))


def best(runs):
    """The run with the fastest transfer of all, float32 into an existing array; None if none."""
    rates = [
        (run.rate(*point), index)
        for index, run in enumerate(runs)
        for point in run.seconds
        if point[0] == EXISTING and point[3] == "float32"
    ]
    return runs[max(rates)[1]] if rates else None


def size(nbytes):
    """1048576 -> '1 MiB'"""
    for unit in "B", "KiB", "MiB":
        if nbytes < 1024:
            return f"{nbytes} {unit}"
        nbytes //= 1024
    return f"{nbytes} GiB"


def cell(*rates):
    """12.345, 0.012345 -> '12.3/0.012'"""
    digits = (format(rate, ".3g" if rate >= 1 else ".3f") if rate else "n/a" for rate in rates)
    return "/".join(digits)


def rows(run, copies):
    """A header and a row a size: float32 into an existing array, by method, pinned / pageable.

    Beside them the link's ceiling, and the host's own copy as the run `copies` measured it.
    """
    yield ["size", *run.methods(), "link", "host copy"]
    for nbytes in sorted({point[-1] for point in run.seconds if point[0] == EXISTING}):
        yield [
            size(nbytes),
            *(
                cell(*(run.rate(EXISTING, method, memory, "float32", nbytes) for memory in MEMORY))
                for method in run.methods()
            ),
            cell(run.rate(LINK, nbytes)),
            cell(copies.rate(COPY, "float32", nbytes)),
        ]


KINDS = {
    "pinned, 4 MiB and more": lambda memory, nbytes: memory == "pinned" and nbytes >= 4 * MIB,
    "pinned, below": lambda memory, nbytes: memory == "pinned" and nbytes < 4 * MIB,
    "pageable": lambda memory, nbytes: memory == "pageable",
}


def apart(run):
    """In words: how noisy `run` is, above all how far the processes of a point lie apart."""
    said = []
    for kind, belongs in KINDS.items():
        ratios = []
        for point, samples in run.samples.items():
            if point[0] == EXISTING and belongs(point[2], point[4]) and point in run.noise:
                taken = iter(samples)
                processes = [
                    median(itertools.islice(taken, number))
                    for number in run.noise[point]["samples"]
                ]
                if len(processes) > 1:
                    ratios.append(max(processes) / min(processes) - 1)
        if len(ratios) > 1:
            high = quantiles(ratios, n=20, method="inclusive")[-1]
            said.append(f"{median(ratios):.1%} ({high:.0%}) {kind}")
    if not said:
        return "one process a point: nothing is known of the noise"
    processes = [
        quiet == samples
        for point in run.noise.values()
        for quiet, samples in zip(point["quiet"], point["samples"], strict=True)
    ]
    quiet = f"{sum(processes)} of {len(processes)} processes all the time on a quiet core"
    return f"{quiet}; the two of a point differ by (median, 95th percentile) {'; '.join(said)}"


def describe(run):
    return f"{run.machine}, commit {run.commit[:8]}: {apart(run)}"


def terminal(runs):
    """Print what was measured last, and the best GPU results there are."""
    console, last, gpu = Console(), runs[-1], best(runs)
    if gpu is None:
        table = Table("size", "host copy", title=Text(f"GB/s, {last.machine}"), box=box.SIMPLE_HEAD)
        for nbytes in sorted({point[-1] for point in last.seconds if point[0] == COPY}):
            table.add_row(size(nbytes), cell(last.rate(COPY, "float32", nbytes)))
        console.print(table)
        return
    for run in [last, gpu] if last.methods() and last is not gpu else [gpu]:
        copies = run if run.methods() and last.methods() else last
        header, *lines = rows(run, copies)
        where = "" if run is last else " (recorded, not measured here)"
        title = f"{run.machine}{where}: GB/s of one float32 array, pinned/pageable"
        table = Table(
            *header, title=Text(title), box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
        )
        for line in lines:
            table.add_row(*line)
        console.print(table)
        if copies is not run:
            console.print(
                f"The host copy is what was measured here, on {copies.machine}.", markup=False
            )
        console.print(describe(run), style="dim", markup=False)


def markdown(run):
    """`run` as a Markdown table, with its noise below it."""
    header, *lines = rows(run, run)
    ruler = ["---:"] * len(header)
    table = "\n".join(f"| {' | '.join(line)} |" for line in (header, ruler, *lines))
    return f"{table}\n\nMachine {describe(run)}."


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", metavar="MACHINE", help="this machine's newest, as Markdown")
    options = parser.parse_args(words)
    runs = load()
    if options.markdown:
        print(markdown(newest(runs, options.markdown)))
    elif runs:
        terminal(runs)
    else:
        sys.exit("There are no results yet: python3 scripts/bench.py makes some")


if __name__ == "__main__":
    main()
