"""Which points of a benchmark one visit measures."""

import ast
import math
from typing import Any

import numpy

from scripts.words.vocabulary import IN_TURN


def places(benchmark: dict[str, Any], index: int) -> dict[str, int]:
    """{name: index} of the points that one visit measures: `index` is that of one of them.

    {} if the benchmark's visits have one series each.
    """
    parameter = IN_TURN.get(benchmark["name"])
    if parameter is None:
        return {}
    axis = benchmark["param_names"].index(parameter)
    shape = list(map(len, benchmark["params"]))
    index_of = numpy.arange(math.prod(shape)).reshape(shape)
    at: list[Any] = list(numpy.unravel_index(index, shape))
    at[axis] = slice(None)
    names = map(ast.literal_eval, benchmark["params"][axis])
    return dict(zip(names, index_of[tuple(at)].tolist(), strict=True))


def visit(benchmark: dict[str, Any], index: int) -> tuple[str, int]:
    """What tells the visit of the point `index` from those of other points: the first of its."""
    return benchmark["name"], min(places(benchmark, index).values(), default=index)
