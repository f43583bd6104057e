"""What a result depends on and what may change under a machine: a function for each fact.

A fact is one function under `fact`, in host.py or gpu.py. One that cannot be had is absent; none is
guessed. The names are those that provenance.py shows. Sources: NVML, /proc and /sys.
"""

from collections.abc import Callable, Mapping
from typing import Any

from scripts.setup.gpu import UNANSWERED

Facts = Mapping[str, Any]
Function = Callable[..., Any]

# {name: function} of the facts of the host, of the GPU, and of the GPU while it transfers.
HOST: dict[str, Function] = {}
GPU: dict[str, Function] = {}
BUSY: dict[str, Function] = {}
ALARMS: list[Callable[[Facts], str | None]] = []


def fact(
    name: str, of: dict[str, Function], alarm: Callable[[Facts], str | None] | None = None
) -> Callable[[Function], Function]:
    """Let a function be the fact `name`. `alarm` says of a run's facts what makes them doubtful.

    The functions of GPU and BUSY are given the gpu.Gpu of scripts/setup/.
    """

    def register(function: Function) -> Function:
        of[name] = function
        if alarm:
            ALARMS.append(alarm)
        return function

    return register


def collect(functions: Mapping[str, Function], *arguments: Any) -> dict[str, Any]:
    """{name: value} of `functions`, each called with `arguments`, as far as they can be had."""
    found = {}
    for name, function in functions.items():
        try:
            value = function(*arguments)
        except (OSError, ValueError, TypeError, LookupError, AttributeError, *UNANSWERED):
            continue
        if value is not None:
            found[name] = value
    return found


def alarms(facts: Facts) -> list[str]:
    """What makes the numbers doubtful, a line each.

    `facts` are those of a run, and "machine link" (as in the machine's facts, 'PCIe Gen5 x16') and
    "seconds", how long the run took.
    """
    return [text for alarm in ALARMS if (text := alarm(facts))]
