"""Page-locking: what it gains an ordinary array, what it costs, and when it has paid."""

import math
from collections.abc import Iterator, Sequence

from pandas import DataFrame

from scripts.answers import standings
from scripts.answers.standings import Standing
from scripts.words.formats import duration, factors, listed, size
from scripts.words.vocabulary import HUGE

DIRECT, BEFOREHAND = "direct", "registered"  # the ways: as it is; page-locked before


def gained(found: Sequence[Standing]) -> Iterator[str]:
    """What an array gains that is page-locked beforehand, where it lies."""
    gains = gain(found)
    if gains:
        yield (
            f"Page-locked beforehand, an array is {factors(gains.values())} as fast as sent "
            f"directly, {standings.where(found, gains)}."
        )
    elif any({DIRECT, BEFOREHAND} <= one.rows.keys() for one in found):
        yield "Page-locking an array beforehand gains nothing measurable."


def gain(found: Sequence[Standing]) -> dict[int, float]:
    """{size: how many times as fast}, where that is told."""
    return {one.nbytes: times for one in found if (times := one.gain(DIRECT, BEFOREHAND))}


def uses(run: DataFrame, found: Sequence[Standing]) -> Iterator[str]:
    counts = uses_to_pay(run, found)
    parts = [
        f"{uses} {standings.at(same)}"
        for uses, same in standings.ranges(found, lambda one: counts.get(one.nbytes))
        if uses
    ]
    if parts:
        yield f"Locking and releasing it has paid after so many transfers: {listed(parts)}."


def uses_to_pay(run: DataFrame, found: Sequence[Standing]) -> dict[int, int]:
    """{size: transfers after which page-locking an array that is there has paid}."""
    costs, gains = cost(run, "register"), gain(found)
    return {
        one.nbytes: math.ceil(costs[one.nbytes] / saved)
        for one in found
        if one.nbytes in costs
        and one.nbytes in gains
        and (saved := one.took(DIRECT) - one.took(BEFOREHAND)) > 0
    }


def cost(run: DataFrame, operation: str, method: str | None = None) -> dict[int, float]:
    """{size: seconds} of what is done beforehand."""
    rows = run[run["operation"].eq(operation) & run["status"].eq("ok")]
    if method:
        rows = rows[rows["method"].eq(method)]
    return dict(zip(rows["nbytes"].astype(int), rows["seconds"], strict=True))


def once(run: DataFrame) -> Iterator[str]:
    """What is paid once, before the first transfer, at one size."""
    costs = {
        "the pinned buffer of staged": cost(run, "pin", "cuda-python"),
        "what pin-memory keeps in PyTorch's pool": cost(run, "pin", "torch"),
        "page-locking the array itself": cost(run, "register"),
    }
    if run["operation"].eq("ordinary_warm").any() and (
        parts := [
            f"{what} {duration(seconds[HUGE])}"
            for what, seconds in costs.items()
            if HUGE in seconds
        ]
    ):
        yield f"What has to be made beforehand, once, costs at {size(HUGE)}: {listed(parts)}."
