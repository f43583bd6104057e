"""Every GPU of this host, alone and all at once, in rounds: a line for each."""

import contextlib
import os
import socket
import time
from collections import defaultdict
from collections.abc import Sequence
from statistics import median
from time import perf_counter
from typing import Any

import pynvml

from scripts.hosts import expected, workers
from scripts.hosts.kinds import ALONE, AT_ONCE, HOST_COPIES, TRANSFERS, Transfer
from scripts.hosts.schema import Line, Measured
from scripts.reading.links import Link
from scripts.recording import cpu_share, facts, host  # noqa: F401 - facts of the host
from scripts.recording import gpu as gpu_facts
from scripts.setup.gpu import UNANSWERED, Gpu, NotKnown, visible

ROUNDS, ENOUGH = 25, 10  # wanted; when time is up, so many will do
LIMIT, LIMIT_OF_EACH = 20, 8  # seconds for the rounds: of any host, and more for each GPU
LOADED, SETTLED = 0.5, 0.1  # seconds of load, in which the links are looked at, from then on
NO_GPU = "no GPU: there is no NVIDIA driver, or no device"
Seconds = dict[str, list[float]]  # by kind, a number a round


def check(name: str | None = None) -> list[Line]:
    """A line a GPU of this host, which is called `name`; one line without a GPU."""
    called = name or os.environ.get("SLURMD_NODENAME") or socket.gethostname()
    try:
        gpus, why = visible(), NO_GPU
    except NotKnown as error:
        gpus, why = [], str(error)
    began = cpu_share.throttled()
    others = [gpu_facts.others_on(gpu) if gpu.handle else 0 for gpu in gpus]
    replays = [replay_counter(gpu) for gpu in gpus]
    names = visible_names(len(gpus)) or [""]
    with workers.started(names) as working:
        transfers = TRANSFERS if gpus else HOST_COPIES
        prepared = workers.ask(working, "prepare", transfers=transfers)
        seconds, busy = rounds(working, transfers)
        loaded = under_load(working, gpus)
        workers.ask(working, "verify")
        lost = [worker.lost for worker in working]
    stopped = cpu_share.throttled_since(began).get(cpu_share.SECONDS, 0.0)
    of_host = facts.collect(facts.HOST)
    common: dict[str, Any] = {
        "host": called,
        "time": round(1000 * time.time()),
        "cores_numa_nodes": of_host.get("process numa nodes"),
        "cpu_quota": of_host.get("cpu quota"),
        "cpu_stopped_seconds": stopped,
    }
    lines = []
    for at, gone in enumerate(lost):
        why_not = expected.fit(f"failed in mid-check: {gone}") if gone else why
        line = Line(**common, verdict="cannot say", reason=why_not)
        line.busy_rounds = busy[at]
        line.measured = {} if gone else measured(seconds[at], transfers)
        if gpus:
            describe(line, gpus[at], loaded[at])
            line.pci = prepared[at].get("pci") or line.pci
            line.other_processes = others[at]
            before, after = replays[at], replay_counter(gpus[at])
            line.replays = None if before is None or after is None else (before, after)
        lines.append(line)
    return expected.judged(lines) if gpus else lines


def visible_names(number: int) -> list[str]:
    """What CUDA_VISIBLE_DEVICES is to be for each of so many GPUs, which are visible now."""
    given = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    return given[:number] if given != [""] else [str(index) for index in range(number)]


def rounds(
    working: Sequence[workers.Worker], transfers: Sequence[Transfer]
) -> tuple[list[Seconds], list[int]]:
    """What each measured, and in how many rounds it had no quiet core for most of its transfers.

    The order of GPUs and transfers is turned round from one round to the next. Alone and at once
    are of the same round, so what drifts on the host is in both.
    """
    seconds: list[Seconds] = [defaultdict(list) for _ in working]
    busy = [0] * len(working)
    order, gpus = list(range(len(transfers))), list(range(len(working)))
    end = perf_counter() + LIMIT + LIMIT_OF_EACH * len(working)

    def take(which: Sequence[int], transfer: int, when: str, quiet: list[list[bool]]) -> None:
        found = workers.sample([working[gpu] for gpu in which], transfer)
        for gpu, answer in zip(which, found, strict=True):
            if answer:
                seconds[gpu][transfers[transfer].kind(when)].append(answer["seconds"])
                quiet[gpu].append(answer["quiet"])

    for number in range(ROUNDS):
        if number >= ENOUGH and perf_counter() > end:
            break
        quiet: list[list[bool]] = [[] for _ in working]
        for transfer in order:
            for gpu in gpus:
                take([gpu], transfer, ALONE, quiet)
            if len(gpus) > 1:
                take(gpus, transfer, AT_ONCE, quiet)
        busy = [count + (2 * sum(had) < len(had)) for count, had in zip(busy, quiet, strict=True)]
        order, gpus = order[::-1], gpus[::-1]
    return seconds, busy


def measured(seconds: Seconds, transfers: Sequence[Transfer]) -> dict[str, Measured]:
    """The same as rates."""
    found = {}
    for transfer in transfers:
        for when in ALONE, AT_ONCE:
            if taken := seconds.get(transfer.kind(when)):
                rates = [transfer.nbytes / one / 1e9 for one in taken]
                found[transfer.kind(when)] = Measured(
                    round(median(rates), 4), [round(rate, 4) for rate in rates]
                )
    return found


def under_load(working: Sequence[workers.Worker], gpus: Sequence[Gpu]) -> list[dict[str, Any]]:
    """The facts of each GPU, while all links are busy."""
    if not gpus:
        return [{}]
    number = max(range(len(TRANSFERS)), key=lambda at: TRANSFERS[at].nbytes)  # the first: pinned
    for worker in working:
        worker.tell("load", number=number, seconds=LOADED)
    time.sleep(SETTLED)
    end = perf_counter() + LOADED - 2 * SETTLED
    readings: list[list[dict[str, Any]]] = [[] for _ in gpus]
    while perf_counter() < end:
        for gpu, taken in zip(gpus, readings, strict=True):
            taken.append(facts.collect(facts.BUSY, gpu) if gpu.handle else {})
        time.sleep(gpu_facts.INTERVAL)
    deadline = perf_counter() + workers.PATIENCE
    for worker in working:
        worker.answer(deadline)
    return [gpu_facts.summary(taken) for taken in readings]


def describe(line: Line, gpu: Gpu, loaded: dict[str, Any]) -> None:
    """Put into `line` what is known of its GPU."""
    found = facts.collect(facts.GPU, gpu)
    line.gpu, line.uuid_hash = gpu.name, found.get("gpu uuid hash")
    line.numa_node, line.driver = found.get("gpu numa node"), found.get("driver")
    line.mps = found.get("mps") == "on"
    line.throttle_reasons = loaded.get("throttle reasons", [])
    with contextlib.suppress(*UNANSWERED, TypeError):
        line.pci = pynvml.nvmlDeviceGetPciInfo(gpu.handle).busId[-12:].lower()
        line.link_max = Link(
            pynvml.nvmlDeviceGetMaxPcieLinkGeneration(gpu.handle),
            pynvml.nvmlDeviceGetMaxPcieLinkWidth(gpu.handle),
        )
    if "link generation" in loaded and "link width" in loaded:
        line.link = Link(loaded["link generation"], loaded["link width"])


def replay_counter(gpu: Gpu) -> int | None:
    """How often PCIe sent something again, since the driver was loaded; None if nobody says."""
    with contextlib.suppress(*UNANSWERED, TypeError):
        return int(pynvml.nvmlDeviceGetPcieReplayCounter(gpu.handle))
    return None
