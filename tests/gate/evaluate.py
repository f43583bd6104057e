"""How often the gate is wrong on a machine, from its calibration: the tables in docs/gate.md.

.venv/bin/python -m tests.gate.evaluate nvidia-h100-80gb-hbm3    # or a recording's path
"""

import sys
from pathlib import Path

import numpy
from scipy import stats

from scripts.gate import pairs, recording, verdict
from scripts.reading.points import RESULTS
from scripts.words.formats import percent, rate, size
from scripts.words.thresholds import TARGETS
from scripts.words.vocabulary import KINDS
from tests.gate import replay

RUNS = 5000
SERVED = ["servers", "method", "memory", "scale"]


def evaluate(machine):
    """Markdown, and the same as facts: the machine's calibration, replayed RUNS times."""
    path = Path(machine) if Path(machine).is_file() else RESULTS / machine / "calibration.jsonl"
    visits = pairs.of(recording.read(path)[2])
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
        f"families, replayed from {visits['visit'].nunique()} pairs of processes, nothing "
        "changed, judged by their own noise. How many of 100 injected slowdowns are found:"
    )
    text = "\n".join([head, "", *lines, *noise(visits)])
    return text, facts


def noise(visits):
    """What the visits' changes have in common, a row a kind: a table, in Markdown.

    A change less that of the other methods of its visit has less noise than the change itself
    where these are alike by more than 1 in as many as the methods are.
    """
    yield "| | a visit's change | less the others' | alike in a visit | alike with its servers |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    visits = visits.assign(
        others=verdict.other_methods(visits), scale=verdict.scale(visits["nbytes"])
    )
    for kind in KINDS:
        rows = visits[visits["kind"].eq(kind) & visits["method"].ne("link")]
        apart = (rows["change"] - rows["others"]).dropna()
        spreads = [percent(100 * (part**2).mean() ** 0.5) for part in (rows["change"], apart)]
        alike = [correlation(rows, by) for by in (["visit"], SERVED)]
        yield f"| {kind} | {' | '.join([*spreads, *map(rate, alike)])} |"


def correlation(rows, by):
    """Of the changes of two rows that have `by` in common, where the mean of all is zero."""
    groups = rows.assign(square=rows["change"] ** 2).groupby(by)
    count, sums, squares = groups.size(), groups["change"].sum(), groups["square"].sum()
    two = (count * (count - 1)).sum()
    return (sums**2 - squares).sum() / two / (rows["change"] ** 2).mean() if two else numpy.nan


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
