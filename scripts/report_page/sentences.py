"""What the report says in words: every sentence here is made from the numbers of one result."""

import numpy
from scipy.special import bdtr  # scipy.stats: binom.cdf

from scripts.report_page import choosing
from scripts.words.formats import listed, size
from scripts.words.vocabulary import TRANSFERS


def pinned_or_pageable(run):
    """From which size on pinned memory is faster, for each operation a sentence or two."""
    if run["log_sd"].isna().all():
        return ["The noise of these numbers is not known, so nothing here is told apart."]
    said = []
    for operation, does in TRANSFERS.items():
        sizes = {}
        for method, nbytes in choosing.pinned_from(run, operation).items():
            sizes.setdefault(nbytes, []).append(method)
        never = sizes.pop(None, [])
        parts = [
            f"from {size(nbytes)} on with {listed(names)}"
            for nbytes, names in sorted(sizes.items())
        ]
        if parts:
            said.append(
                f"Into {article(does.into)}, pinned memory is faster than pageable "
                f"{'; '.join(parts)}."
            )
        if never:
            said.append(
                f"Into {article(does.into)}, pinned memory is at no size, up to the largest, "
                f"faster than pageable with {listed(never)}."
            )
    return said


def article(into):
    return f"{'an' if into[0] in 'aeiou' else 'a'} {into}"


def dtypes(run, parts=None):
    """Does the dtype matter? A sentence with the answer, and one with its numbers.

    `parts` says in how many runs the result was measured, if in several.
    """
    found = choosing.dtype_differences(run, same_run=not parts)
    if found.empty:
        return ["One dtype was measured, so nothing is known of the others."]
    differing = found[found["p"] < 0.01].sort_values("spread")
    chance = int(numpy.argmax(bdtr(range(len(found) + 1), len(found), 0.01) >= 0.99))
    numbers = (
        f"Of {len(found)} combinations of method, memory, operation and size the slowest dtype is "
        f"{100 * found['spread'].median():.1f} % behind the fastest (median), and in "
        f"{len(differing)} the dtypes differ by more than the noise (99 %); chance alone would "
        f"make it {chance} at the most."
    )
    if parts:
        numbers += f" (Measured in {parts}, which differ more than processes do; that is in it.)"
    if len(differing) <= chance:
        return ["No: the time depends on the bytes, not on the dtype.", numbers]
    worst = differing.iloc[-1]
    where = f"{worst['method']}, {worst['memory']}, {TRANSFERS[worst['operation']].into}"
    return [
        "In places: not everywhere do equal bytes take equal time.",
        f"{numbers} Most at {where}, {size(worst['nbytes'])}: {worst['slowest']} takes "
        f"{100 * worst['spread']:.0f} % longer than the fastest.",
    ]


def noise(run):
    """How far the processes of a point lie apart, and on how quiet a machine."""
    rows = run[run["status"].eq("ok")]
    count = rows["processes"].sum()
    if not count:
        return ["Nothing was recorded of the noise."]
    said = [
        f"{rows['processes_quiet'].sum()} of {count} processes were all the time on a quiet core."
    ]
    spread = rows["process_spread"].dropna()
    if len(spread):
        said.append(
            f"The slowest process of a point is {100 * spread.median():.1f} % slower than its "
            f"fastest (median; {100 * spread.quantile(0.95):.0f} % at the 95th percentile)."
        )
    sentinel = 1e6 * rows["sentinel_seconds"].dropna()
    if len(sentinel):
        low, high = numpy.quantile(sentinel, [0.05, 0.95])
        said.append(f"The sentinel took {low:.0f} to {high:.0f} µs (5th to 95th percentile).")
    return said
