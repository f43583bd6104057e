"""The answer first: a result in some sentences, its doubts at the head of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pandas import DataFrame

from scripts.answers import choosing, doubts, link, standings, ways
from scripts.answers.standings import Standing
from scripts.reading import chosen
from scripts.words.formats import durations, factors, listed, percent, percents, rate, size
from scripts.words.thresholds import HARDLY
from scripts.words.vocabulary import TRANSFERS

OPERATION, PINNED, PAGEABLE = "existing_array", "pinned", "pageable"
INTO = TRANSFERS[OPERATION].title


def of(
    run: DataFrame,
    table: DataFrame,
    runs: Sequence[Mapping[str, Any]],
    changed: Sequence[str] = (),
    left_out: Sequence[str] = (),
) -> list[str]:
    """What the result `run` says, the most important first; nothing of what it has not measured.

    `table` has the results of other machines, too, `runs` is what provenance.beside has of this
    one, `changed` says what changed last in its history, and `left_out` is points.load's.
    """
    if chosen.transfers(run).empty:
        return []
    judged = link.of(run, table, runs)
    return [
        *(f"Doubtful: {doubt}" for doubt in doubts.of(run, runs, left_out)),
        *([str(judged)] if judged else []),
        *pinning(run),
        *library(standings.of(run, OPERATION, PINNED)),
        *smallest(run),
        *ways.once(standings.of(run, ways.WARM)),
        *changed,
    ]


def pinning(run: DataFrame) -> Iterator[str]:
    """Pin or not: from which size on, and by how much at the largest."""
    begins = choosing.pinned_from(run, OPERATION)
    sizes = choosing.by_size(begins)
    if not sizes:
        if begins:
            there = {one.nbytes for one in standings.of(run, OPERATION, PAGEABLE)}
            tried = [one for one in standings.of(run, OPERATION, PINNED) if one.nbytes in there]
            most = f"at {size(tried[-1].nbytes)}, the largest measured of both"
            yield f"Pinned memory is not measurably faster than pageable, {INTO}, {most}."
        return
    parts = [
        f"from {size(nbytes)} on" + f" with {listed(names)}" * (len(sizes) > 1)
        for nbytes, names in sizes
    ]
    never = [name for name, nbytes in begins.items() if nbytes is None]
    but = f", but not at the largest size with {listed(never)}" if never else ""
    pinned, pageable = (standings.of(run, OPERATION, memory) for memory in (PINNED, PAGEABLE))
    large, slow = pinned[-1], pageable[-1]
    both = [one for one in begins if one not in never and one in large.rows and one in slow.rows]
    how = ""
    if large.nbytes == slow.nbytes and both:
        times = factors(slow.took(name) / large.took(name) for name in both)
        rates = (rate(max(one.rows[name]["gb_per_s"] for name in both)) for one in (large, slow))
        how = "; at {} it is {} as fast, {} against {} GB/s".format(
            size(large.nbytes), times, *rates
        )
    yield f"Pin what you send often: {INTO} pinned memory is faster {listed(parts)}{but}{how}."


def library(found: Sequence[Standing]) -> Iterator[str]:
    """Which library at which size, or that it hardly matters."""
    if not any(len(one.rows) > 1 for one in found):
        return
    parts = [which(answer, same) for answer, same in standings.ranges(found, answered)]
    yield f"Which library, for a pinned array {INTO}: {'; '.join(filter(None, parts))}."


def answered(one: Standing) -> tuple[str, list[str]]:
    """What is to be said of a size: how, and of whom."""
    if one.margin != one.margin:
        return "unknown", []
    if len(one.best) == len(one.rows):
        return "alike", []
    if within(one) <= 100 * HARDLY:
        return "hardly", []
    return "best", one.best


def within(one: Standing) -> float:
    """By how many per cent the slowest is slower, and what is told apart at the least."""
    return max([*one.others.values(), one.margin])


def which(answer: tuple[str, list[str]], same: Sequence[Standing]) -> str:
    how, best = answer
    where = standings.at(same)
    if how == "unknown":
        return f"{where} nobody knows, as the noise is not known"
    if how == "alike":
        return f"{where} none is measurably faster than another"
    if how == "hardly":
        most = percent(max(map(within, same)))
        return f"{where} it hardly matters, all are within {most} of each other"
    slowest = [max(one.others.values()) for one in same]
    others = f"the slowest takes {percents(min(slowest), max(slowest))} longer"
    if len(best) > 1:
        return f"{where} {listed(best)}, which cannot be told apart, and {others}"
    return f"{where} {best[0]} is the fastest, and {others}"


def smallest(run: DataFrame) -> Iterator[str]:
    """What the smallest array costs, in microseconds."""
    parts, least, by = [], 0, ""
    for memory in PINNED, PAGEABLE:
        if found := standings.of(run, OPERATION, memory):
            least = found[0].nbytes
            by = ", by library," if len(found[0].rows) > 1 else by
            took = durations(found[0].took(name) for name in found[0].rows)
            parts.append(f"{took} from {memory} memory" + f" {INTO}" * (memory == PINNED))
    if parts:
        yield f"{size(least)} takes{by} {listed(parts)}."
