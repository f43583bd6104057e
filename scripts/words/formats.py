"""Numbers as text: sizes, seconds, rates, per cent, counts, lists."""

import math
from collections.abc import Callable, Iterable
from typing import Any

UNITS = "B", "KiB", "MiB", "GiB"
# What a page does not part at a line's end: a number and its unit. A browser reads it, too.
WITH_UNIT = r"[\d.,+-]*\d (?:%|[KMG]?i?B(?:/s)?|[mµ]?s)(?![\w/])"


def size(nbytes: float) -> str:
    """1048576 -> '1 MiB', 1536 -> '1.5 KiB', NaN -> ''"""
    if math.isnan(nbytes):
        return ""
    for unit in UNITS:
        if nbytes < 1024 or unit == UNITS[-1]:
            break
        nbytes /= 1024
    return f"{nbytes:g} {unit}"


def duration(seconds: float) -> str:
    """2.5 -> '2.5 s', 0.0123 -> '12.3 ms', 9.8e-06 -> '9.8 µs'"""
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{1e6 * seconds:.3g} µs"


def rate(gb_per_s: float) -> str:
    """123.4 -> '123', 12.0 -> '12.0', 0.0123 -> '0.012', NaN -> 'n/a'"""
    if math.isnan(gb_per_s):
        return "n/a"
    return format(gb_per_s, ".0f" if gb_per_s >= 99.95 else "#.3g" if gb_per_s >= 1 else ".3f")


def percent(value: float) -> str:
    """2.74 -> '2.7 %', 13.4 -> '13 %', 541.2 -> '541 %', NaN -> 'n/a'"""
    if math.isnan(value):
        return "n/a"
    return f"{value:.0f} %" if abs(value) >= 9.95 else f"{value:.2g} %"


def ends(least: float, most: float, text: Callable[[float], str]) -> str:
    """Both as `text` has them, with ' to ' between; once if they are alike, and so their unit."""
    first, last = text(least), text(most)
    if first == last:
        return first
    unit = last.partition(" ")[2]
    return f"{first.removesuffix(f' {unit}')} to {last}"


def percents(least: float, most: float) -> str:
    """2.9, 22.8 -> '2.9 to 23 %'"""
    return ends(least, most, percent)


def factor(value: float) -> str:
    """1.034 -> '1.03', 1.86 -> '1.9', 12.3 -> '12'"""
    return format(value, ".0f" if value >= 9.95 else ".1f" if value >= 1.095 else ".2f")


def factors(values: Iterable[float]) -> str:
    """[1.86, 12.3] -> '1.9 to 12 times'"""
    values = list(values)
    return ends(min(values), max(values), factor) + " times"


def durations(values: Iterable[float]) -> str:
    """[8.4e-06, 1.35e-05] -> '8.4 to 13.5 µs'"""
    values = list(values)
    return ends(min(values), max(values), duration)


def change(logarithm: float) -> str:
    """0.0953 -> '+10 %', -0.01 -> '-1.0 %'"""
    value = as_percent(logarithm)
    return f"{value:+.0f} %" if abs(value) >= 9.95 else f"{value:+.1f} %"


def as_long(logarithm: float) -> str:
    """0.0953 -> '+10 %', 1.86 -> '6.4 times as long': of seconds, from twice on as a factor."""
    factor = math.exp(logarithm)
    if factor < 2:
        return change(logarithm)
    return f"{factor:.1f} times as long" if factor < 9.95 else f"{factor:.0f} times as long"


def times(logarithm: float) -> str:
    """0.0677 -> '1.07x', 2.3 -> '10x': how many times as long."""
    return f"{math.exp(logarithm):#.3g}".rstrip(".") + "x"


def as_percent(logarithm: float) -> float:
    """0.0953 -> 10.0: by how much more, of a difference of logarithms."""
    return 100 * math.expm1(logarithm)


def day(when: Any) -> str:
    """A pandas timestamp -> '2026-11-26'; NaT -> 'on a day that is not recorded'"""
    return f"{when:%Y-%m-%d}" if when == when else "on a day that is not recorded"


def count(number: int, one: str, many: str) -> str:
    """1, 'point', 'points' -> '1 point'"""
    return f"{number} {one if number == 1 else many}"


def article(noun: str) -> str:
    """'array' -> 'an array'"""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def listed(names: Iterable[object]) -> str:
    """['a', 'b', 'c'] -> 'a, b and c'"""
    *first, last = map(str, names)
    return " and ".join(filter(None, [", ".join(first), last]))


def some(names: Iterable[str], shown: int = 12) -> str:
    """The first of them, and how many more there are."""
    names = list(names)
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")
