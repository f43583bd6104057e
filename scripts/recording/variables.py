"""The environment variables that change how fast a transfer is: how memory is had, which GPU, how
many threads, what is loaded before anything else.

Results are public: no value here has a path or tells a secret of the host, or is long.
"""

import os
import re
from collections.abc import Mapping

NAMES = re.compile(
    "(?!CUDA_DEVICE_ORDER)"  # which the harness sets itself
    "(NUMPY_MADVISE_HUGEPAGE|LD_PRELOAD|GLIBC_TUNABLES"
    "|(MALLOC|CUDA|PYTORCH|CUPY|OMP|MKL|OPENBLAS)_.+)"
)
PLACES = re.compile("(HOME|PATH|ROOT|DIR|DIRECTORY|FILE|USER)S?$")
SECRETS = re.compile("TOKEN|KEY|SECRET|PASSWORD|CREDENTIAL")
MANY, LONG = 40, 120  # variables; characters of a name or a value
HIDDEN = "..."  # something is there, and is not told


def variables(environment: Mapping[str, str] = os.environ) -> list[str] | None:
    """['NAME=value', ...] of those that are set; None if none is."""
    names = (n for n in sorted(environment) if NAMES.fullmatch(n) and not SECRETS.search(n))
    told = [f"{name}={shown(name, environment[name])}" for name in names if plain(name)]
    return told[:MANY] or None


def plain(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9_.,:;=+*%-]*", text)) and len(text) <= LONG


def shown(name: str, value: str) -> str:
    """The value, with only the names of the libraries in it, and none of what is not plain."""

    def part(found: re.Match[str]) -> str:
        one = found[0]
        if "/" in one or PLACES.search(name):
            last = one.rpartition("/")[2]
            return last if re.search(r"\.so(\.|$)", last) else HIDDEN
        if re.match(r"(GPU|MIG)-", one):  # tells which device it is; facts.py has its hash
            return one[:4] + HIDDEN
        return one

    if name == "LD_PRELOAD":
        value = ":".join(value.split())  # a blank separates, too
    text = re.sub("[^:,;=]+", part, value)
    return text if plain(text) else HIDDEN
