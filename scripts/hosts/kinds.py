"""The kinds of transfers that a check measures of each GPU, and their names in its lines."""

from itertools import product
from typing import NamedTuple

from scripts.words.formats import size
from scripts.words.vocabulary import MEMORY, SMALL, TO_DEVICE, TO_HOST

SIZES = SMALL, 64 << 20  # latency; bandwidth, of what no cache holds
ALONE, AT_ONCE = "alone", "at once"  # one GPU after the other; all GPUs of the host together
HOST_COPY = "host copy"  # what a host without a GPU can measure


class Transfer(NamedTuple):
    """What is sent, from where."""

    direction: str
    memory: str
    nbytes: int

    def kind(self, when: str) -> str:
        """'to device, pinned, 64 MiB, alone'"""
        return ", ".join([self.direction, self.memory, size(self.nbytes), when])


TRANSFERS = [Transfer(*one) for one in product((TO_DEVICE, TO_HOST), MEMORY, SIZES)]
HOST_COPIES = [Transfer(HOST_COPY, "pageable", nbytes) for nbytes in SIZES]
