"""Under which conditions a run measures: the builder of its provenance, for asv run and gate."""

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from scripts.recording import cpu_share, facts, gpu, host, software  # noqa: F401 - facts of the host
from scripts.setup.environment import ROOT
from scripts.setup.gpu import Gpu, lasting

GPU = "gpu uuid hash"


def now() -> int:
    """Milliseconds since 1970, as asv counts."""
    return round(1000 * time.time())


def installed(run: Callable[..., str], variables: Mapping[str, str]) -> dict[str, Any]:
    """What software.INSTALLED prints in the Python that `run`, asv's Environment.run, calls."""
    command = ["-c", software.INSTALLED, str(ROOT)]
    environment = {**os.environ, **variables}
    printed = run(command, dots=False, display_error=False, env=environment)
    return json.loads(printed.splitlines()[-1])  # a site's own start may print, too


class Conditions:
    """The facts of a run, and what makes its numbers doubtful.

    `versions` is what software.versions returns. `facts` holds what is known so far; `look` adds
    what NVML says of the GPU while it transfers: call it while none of our processes is on it.
    """

    def __init__(self, device: Gpu | None, versions: Mapping[str, str | None], **more: Any):
        self.device = device
        self.readings: list[dict[str, Any]] = []
        self.started, self.throttled = now(), cpu_share.throttled()
        there = {name: version for name, version in versions.items() if version}
        self.deciding = ["driver", GPU, *versions]
        self.facts = {**there, **more, **facts.collect(facts.HOST)}
        if device:
            self.facts |= facts.collect(facts.GPU, device)
        self.look()

    def look(self) -> None:
        if self.device:
            if others := max(self.facts.get(gpu.OTHERS, 0), gpu.others_on(self.device)):
                self.facts[gpu.OTHERS] = others
            self.readings += gpu.readings_under_load(self.device)
            self.facts |= gpu.summary(self.readings)
        self.facts |= cpu_share.throttled_since(self.throttled)

    def alarms(self) -> list[str]:
        """What makes the numbers doubtful, a line each."""
        seconds = (now() - self.started) / 1000
        about = {"machine link": lasting(self.device).get("link"), "seconds": seconds}
        return facts.alarms({**self.facts, **about})

    def run(self, ended: int | None = None, processes: int | None = None) -> dict[str, Any]:
        """The run as provenance.py has it; as far as it is known, if it has not ended."""
        about = {"started": self.started, "ended": ended, "processes": processes}
        return {**about, "facts": dict(self.facts)}

    def differ(self, before: Mapping[str, Any], more: Iterable[str] = ()) -> list[str]:
        """The facts that those of an earlier run, `before`, must have in common, and have not."""
        return [
            name for name in [*self.deciding, *more] if before.get(name) != self.facts.get(name)
        ]
