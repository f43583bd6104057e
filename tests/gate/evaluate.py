"""How often the gate is wrong on a machine, from its calibration: the table in docs/gate.md.

.venv/bin/python -m tests.gate.evaluate nvidia-h100-80gb-hbm3
"""

import sys

import numpy
from scipy import stats

from scripts.gate import pairs, recording, verdict
from scripts.reading.points import RESULTS
from scripts.words.formats import size
from scripts.words.thresholds import TARGETS
from scripts.words.vocabulary import KINDS
from tests.gate import replay

RUNS = 5000


def evaluate(machine):
    """Markdown, and the same as facts: the machine's calibration, replayed RUNS times."""
    visits = pairs.of(recording.read(RESULTS / machine / "calibration.jsonl")[2])
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
    return text, facts


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


if __name__ == "__main__":
    print(evaluate(sys.argv[1])[0])
