"""The processes that measure, one a GPU: what they are told, and what they answer."""

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import Any

from scripts.setup import children
from scripts.setup.environment import ROOT

PATIENCE = 20  # seconds for an answer: preparing takes a few
AHEAD = 0.002  # seconds: all have read the order before the moment that it names


class Worker:
    """benchmarks/host_check.py for one GPU. `lost` says why it answers no more; '' if it does."""

    def __init__(self, visible: str) -> None:
        """`visible` is what CUDA_VISIBLE_DEVICES has of the GPU; '' for none."""
        ours = {"CUDA_VISIBLE_DEVICES": visible, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
        paths = filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
        self.lost = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.host_check"],
            bufsize=0,
            cwd=ROOT,
            env={**os.environ, **ours, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=children.ending_with_us(),
        )

    def tell(self, do: str, **order: Any) -> None:
        if not self.lost:
            assert self.process.stdin
            with contextlib.suppress(BrokenPipeError):  # `answer` says why
                self.process.stdin.write(json.dumps({"do": do, **order}).encode() + b"\n")

    def answer(self, deadline: float) -> dict[str, Any]:
        """{} if it is lost, which it is without an answer until `deadline`, of perf_counter."""
        if self.lost:
            return {}
        assert self.process.stdout
        left = max(0, deadline - perf_counter())
        there, _, _ = select.select([self.process.stdout], [], [], left)
        line = self.process.stdout.readline() if there else b""
        if line.endswith(b"\n"):
            answer: dict[str, Any] = json.loads(line)
        else:
            answer = {"failed": self.last_words() if there else "it does not answer any more"}
        if "failed" in answer:
            self.end(answer["failed"])
            return {}
        return answer

    def last_words(self) -> str:
        """What a process that has ended said last, and with which code."""
        assert self.process.stderr
        code = self.process.wait()
        said = self.process.stderr.read().decode(errors="replace").strip().splitlines()
        return f"its process ended ({': '.join([str(code), *said[-1:]])})"

    def end(self, why: str) -> None:
        self.lost = why
        self.process.kill()
        self.process.wait()


def ask(workers: Iterable[Worker], do: str, **order: Any) -> list[dict[str, Any]]:
    """The answers of all of them, who work at the same time."""
    told = list(workers)
    for worker in told:
        worker.tell(do, **order)
    deadline = perf_counter() + PATIENCE
    return [worker.answer(deadline) for worker in told]


def sample(workers: Sequence[Worker], number: int) -> list[dict[str, Any]]:
    """A sample of the transfer `number` of each of `workers`, begun at one moment."""
    return ask(workers, "sample", number=number, at=perf_counter() + AHEAD)


@contextlib.contextmanager
def started(visible: Iterable[str]) -> Any:
    """Workers, one for each name in `visible`, which are gone afterwards."""
    workers = [Worker(one) for one in visible]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.end("it is over")
