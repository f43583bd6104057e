"""What gate.py says of what is recorded already: a machine's history, and the gate's own errors."""

import json
from pathlib import Path

import numpy
from rich.console import Console
from rich.markdown import Markdown
from scipy import stats

from scripts.change_points import history as machine_history
from scripts.change_points import in_words
from scripts.gate import outcome, pairs, recording, replay, verdict
from scripts.reading import points
from scripts.reading.chosen import NoSuchResult
from scripts.words.formats import size, some
from scripts.words.thresholds import TARGETS
from scripts.words.vocabulary import KINDS

RESULTS = points.RESULTS
RUNS = 5000


def only(machine, files):
    """`machine`, or the only one that has one of `files`; NoSuchResult if there is no such one."""
    there = sorted({path.parent.name for path in files})
    if machine is None and len(there) == 1:
        return there[0]
    if machine not in there and machine and Path(RESULTS, machine, "machine.json").is_file():
        raise NoSuchResult(
            f"{machine} has no calibration, which `gate.py calibrate` makes there; these have one: "
            f"{some(there) or 'none'}"
        )
    if machine not in there:
        which = f"there are {some(there)}" if there else "there is none"
        which = f"{which} with what this needs"
        raise NoSuchResult(f"No machine {machine}: {which}" if machine else f"Of which? {which}")
    return machine


class Said:
    """An outcome that fails nothing."""

    code = outcome.NOTHING

    def __init__(self, text, markdown, facts):
        self.text, self.markdown = lambda: text.rstrip(), lambda: markdown
        self.json = lambda: json.dumps(facts, indent=1) + "\n"


def history(options):
    machine = only(options.machine, RESULTS.glob("*/machine.json"))
    found = machine_history.of_machine(RESULTS, machine)
    return Said(
        f"{machine}\n{in_words.text(*found)}",
        f"**{machine}**\n\n{in_words.markdown(*found)}",
        {"machine": machine, **in_words.as_json(*found)},
    )


def evaluate(options):
    """Replay the machine's calibration RUNS times."""
    machine = only(options.machine, RESULTS.glob("*/calibration.jsonl"))
    visits = pairs.of(recording.read(RESULTS / machine / "calibration.jsonl")[2])
    if visits.groupby(pairs.SERIES).size().lt(pairs.FEWEST).all():
        told = f"The calibration of {machine} has no series with {pairs.FEWEST} processes a side"
        raise NoSuchResult(told)
    found = replay.replay(visits, RUNS)
    first, *_, last = verdict.LOOKS
    looks = {
        f"{first} processes a side": found.once,
        f"up to {last} where in doubt, as the gate does": found.whole,
    }
    lines, facts = [], {"machine": machine, "runs": RUNS, "series": len(found.series), "looks": []}
    for name, look in looks.items():
        high = stats.binomtest(look["alarms"], RUNS).proportion_ci(0.95).high
        rate = f"{100 * look['alarms'] / RUNS:.2f} false alarms in 100 runs"
        said = f"{rate} (below {100 * high:.2f}, at 95 %)"
        rows = list(shares(found, look["needed"]))
        lines += [f"**{name}**: {said}", "", *table(rows), ""]
        facts["looks"].append({"name": name, "false_alarms": look["alarms"], "found": rows})
    head = (
        f"{machine}: {RUNS} comparisons of {len(found.series)} series and {len(found.families)} "
        f"families, replayed from {pairs.FEWEST * len(found.series)} pairs of processes, nothing "
        "changed, judged by their own noise. How many of 100 injected slowdowns are found:"
    )
    text = "\n".join([head, "", *lines])
    console = Console()
    with console.capture() as shown:
        console.print(Markdown(text))
    return Said(shown.get(), text, facts)


def shares(found, needed):
    """A dict a kind and size: the share of each slowdown that is found, and of its target."""
    for place, rows in enumerate((found.series, found.families)):
        sizes = rows["nbytes"] if "nbytes" in rows else numpy.zeros(len(rows))
        ours = rows["method"].ne("link")  # what the link itself does is no method's
        for kind in KINDS:
            here = ours & rows["kind"].eq(kind)
            for nbytes in [*numpy.unique(sizes[here]), None] if place == 0 else [None]:
                some = here if nbytes is None else here & (sizes == nbytes)
                if not some.any():
                    continue
                least = needed[place][:, some.to_numpy()]
                target = TARGETS[kind][place]
                yield {
                    "kind": kind,
                    "where": "a family" if place else size(int(nbytes)) if nbytes else "any size",
                    **{
                        f"{100 * slowdown:g} %": float((least <= numpy.log1p(slowdown)).mean())
                        for slowdown in replay.SLOWDOWNS
                    },
                    "target": f"{100 * target:g} %",
                    "target found": float((least <= numpy.log1p(target)).mean()),
                }


def table(rows):
    slowdowns = [name for name in rows[0] if name.endswith(" %")]
    yield f"| | | {' | '.join(slowdowns)} | to reach 95 |"
    yield "| --- | --- |" + " ---: |" * (len(slowdowns) + 1)
    for row in rows:
        cells = [f"{100 * row[name]:.0f}" for name in slowdowns]
        target = f"{row['target']}: {100 * row['target found']:.1f}"
        yield f"| {row['kind']} | {row['where']} | {' | '.join(cells)} | {target} |"
