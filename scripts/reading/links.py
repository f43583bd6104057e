"""PCIe links: what one can carry, and what the recorded machines' large pinned copies reach."""

import re
from typing import Annotated

from msgspec import Meta, Struct
from pandas import DataFrame

from scripts.words.thresholds import LANE, unchanged
from scripts.words.vocabulary import DTYPE, HUGE, MEMORY

# Of what others reach: a machine's large pinned copies that reach less are slower than theirs.
AS_OTHERS = 1 - unchanged(MEMORY[0], HUGE)
PLAIN = "cuda-python"  # the method that makes CUDA's own calls


class Link(Struct, frozen=True):
    """A PCIe link: its generation, and how many lanes."""

    generation: Annotated[int, Meta(ge=1, le=20)]
    width: Annotated[int, Meta(ge=1, le=64)]

    def __str__(self) -> str:
        return f"Gen{self.generation} x{self.width}"

    @property
    def carries(self) -> float | None:
        """GB/s each way; None of a generation that nobody knows."""
        lane = LANE.get(self.generation)
        return lane and lane * self.width

    def below(self, other: "Link") -> bool:
        return self.generation < other.generation or self.width < other.width


def parsed(text: object) -> Link | None:
    """'PCIe Gen5 x16', as a machine's facts have it."""
    found = re.fullmatch(r"PCIe Gen(\d+) x(\d+)", str(text))
    return Link(*map(int, found.groups())) if found else None


def large(table: DataFrame, operation: str) -> DataFrame:
    """The rows of `operation`, pinned or a link's own, from HUGE on and as CUDA itself copies."""
    rows = table[table["operation"].eq(operation) & table["gb_per_s"].notna()]
    rows = rows[rows["nbytes"].ge(HUGE)]
    for column, value in (("method", PLAIN), ("memory", MEMORY[0]), ("dtype", DTYPE)):
        rows = rows[rows[column].isna() | rows[column].eq(value)]
    return rows
