"""What the report says in words: every sentence here is made from the numbers of one result."""

import numpy
from pandas import DataFrame
from scipy.special import bdtr  # scipy.stats: binom.cdf

from scripts.answers import choosing
from scripts.words.formats import article, listed, percents, size
from scripts.words.vocabulary import ALL, TRANSFERS

IN_TURN = (
    "Dtypes are measured in different visits, so a method is held against the others of its "
    "visits; the seconds of all together hold what the host drifted by, too."
)


def pinned_or_pageable(run: DataFrame) -> list[str]:
    """From which size on pinned memory is faster, for each operation a sentence or two."""
    if run["log_sd"].isna().all():
        return ["The noise of these numbers is not known, so nothing here is told apart."]
    said = []
    for operation, does in TRANSFERS.items():
        begins = choosing.pinned_from(run, operation)
        never = [method for method, nbytes in begins.items() if nbytes is None]
        parts = [
            f"from {size(nbytes)} on with {listed(names)}"
            for nbytes, names in choosing.by_size(begins)
        ]
        if parts:
            said.append(
                f"Into {article(does.into)}, pinned memory is faster than pageable "
                f"{'; '.join(parts)}."
            )
        if never:
            said.append(
                f"Into {article(does.into)}, pinned memory is at the largest size "
                f"not measurably faster than pageable with {listed(never)}."
            )
    return said


def dtypes(run: DataFrame, parts: str | None = None) -> list[str]:
    """Does the dtype matter? A sentence with the answer, and some with its numbers.

    `parts` says in how many runs the result was measured, if in several.
    """
    found = choosing.dtype_differences(run, same_run=not parts)
    if found.empty:
        return ["One dtype was measured, so nothing is known of the others."]
    together = found["method"].eq(ALL)
    answers = [differing(found[~together], "method, memory, operation and size")]
    if together.any():
        answers.append(
            differing(found[together], "memory, operation and size, all methods together,")
        )
    said = [numbers for _, numbers in answers]
    if together.any():
        said.insert(1, IN_TURN)
    if parts:
        said.append(f"(Measured in {parts}, which differ more than visits do; that is in it.)")
    if any(there for there, _ in answers):
        return ["In places: not everywhere do equal bytes take equal time.", *said]
    return ["No: the time depends on the bytes, not on the dtype.", *said]


def differing(found: DataFrame, each: str) -> tuple[bool, str]:
    """Whether more of `found` (choosing.dtype_differences) differ than chance explains, and how
    many do, in words; `each` says what they are combinations of."""
    differ = found[found["p"] < 0.01].sort_values("spread")
    chance = int(numpy.argmax(bdtr(range(len(found) + 1), len(found), 0.01) >= 0.99))
    said = (
        f"Of {len(found)} combinations of {each} the slowest dtype is "
        f"{100 * found['spread'].median():.1f} % behind the fastest (median), and in "
        f"{len(differ)} the dtypes differ by more than the noise (99 %); chance alone would "
        f"make it {chance} at the most."
    )
    if len(differ) <= chance:
        return False, said
    worst = differ.iloc[-1]
    where = f"{worst['method']}, {worst['memory']}, {TRANSFERS[worst['operation']].into}"
    return True, (
        f"{said} Most at {where}, {size(worst['nbytes'])}: {worst['slowest']} takes "
        f"{100 * worst['spread']:.0f} % longer than the fastest."
    )


def noise(run: DataFrame) -> list[str]:
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
    ratios = 100 * rows["relative_sd"].dropna()
    if len(ratios):
        said.append(
            f"From visit to visit a method's ratio to the others varies by "
            f"{percents(ratios.min(), ratios.max())} (standard deviation, by kind of transfer)."
        )
    sentinel = 1e6 * rows["sentinel_seconds"].dropna()
    if len(sentinel):
        low, high = numpy.quantile(sentinel, [0.05, 0.95])
        said.append(f"The sentinel took {low:.0f} to {high:.0f} µs (5th to 95th percentile).")
    return said
