"""The machine as asv knows it: what is true of it now, with its GPU; and one run at a time."""

import functools
import hashlib
import itertools
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asv import machine as asv_machine
from asv import util
from asv.console import log

from scripts.asv_plugin.replaced import replace
from scripts.setup import gpu
from scripts.words import shown

IDENTIFYING = "gpu", "link", "num_gpu", "cpu", "num_cpu", "arch"


class Busy(util.UserError):
    """Another run measures here."""


@functools.cache
def device() -> gpu.Gpu | None:
    """The GPU; None without one. UserError if that cannot be said."""
    try:
        return gpu.find()
    except gpu.NotKnown as error:
        raise util.UserError(str(error)) from None


def facts_of(name: str) -> dict[str, Any]:
    """What asv records of a machine that is called `name`, as it is now.

    asv draws a curve for each value of each fact, so what an update or a hypervisor may change
    under a machine (the kernel's release, the memory's size) is none of them. A file in a home is
    not asked: different nodes may share it.
    """
    known = asv_machine.Machine.get_defaults()
    del known["ram"]
    known |= {"machine": name, "os": os.uname().sysname, **gpu.lasting(device())}
    return {fact: shown.plain(value) for fact, value in known.items()}


def otherwise(known: dict[str, Any], results_dir: str) -> str | None:
    """How the results of a machine of that name are of another one; None if they are not."""
    path = Path(results_dir, known["machine"], "machine.json")
    recorded = util.load_json(str(path)) if path.is_file() else known
    for fact in IDENTIFYING:
        if fact == "num_gpu" and fact not in recorded:
            continue  # nor was it by the first version of this
        if recorded.get(fact) != known.get(fact):
            return f"{fact}: {recorded.get(fact)}; here: {known.get(fact)}"
    return None


def known_here(name: str | None, results_dir: str) -> dict[str, Any]:
    """The facts of this machine under the name `name`.

    UserError if the results under it are those of another machine. If it is None, it is the GPU's
    or the host's, numbered if another machine's results have that.
    """
    if name is not None:
        if not re.fullmatch(r"\w[\w.-]*", name) or name == "version":
            raise util.UserError(f"{name!r} cannot name a machine: it names a folder in results/")
        known = facts_of(name)
        if fact := otherwise(known, results_dir):
            told = f"results/{name} is of another machine ({fact})"
            raise util.UserError(f"{told}. Name this one otherwise: --machine NAME")
        return known
    here = device()
    default = gpu.slug(here.name) if here else asv_machine.Machine.get_unique_machine_name()
    for number in itertools.count(1):
        known = facts_of(default if number == 1 else f"{default}-{number}")
        if not otherwise(known, results_dir):
            return known
    raise AssertionError


registered: dict[str, Any] = {}  # the facts of this machine, once it is named


class Here(asv_machine.Machine):
    """This machine, named once it is known where its results are."""

    __slots__ = ("wanted",)  # asv records what is in __dict__

    def __init__(self, name: str | None) -> None:
        self.wanted = name

    def save(self, results_dir: str) -> None:
        known = known_here(self.wanted, results_dir)
        if not Path(results_dir, known["machine"]).is_dir():
            log.info(f"Registered this machine as {known['machine']}")
        registered.update(known)
        self.__dict__.update(known)
        super().save(results_dir)


@replace(asv_machine.Machine, "load", "asv asks for `asv machine` first, and knows no GPU")
def load(
    original: Callable[..., Any],
    *args: Any,
    machine_name: str | None = None,
    interactive: bool = False,
    **kwargs: Any,
) -> Any:
    if not interactive:  # `asv machine` itself
        return original(*args, machine_name=machine_name, interactive=interactive, **kwargs)
    lock()
    device()
    return Here(machine_name)


def lock() -> None:
    """One run of a user at a time: two would measure each other. It ends with asv's process."""
    lock.socket = socket.socket(socket.AF_UNIX)  # type: ignore[attr-defined]
    home = hashlib.sha256(os.path.expanduser("~").encode()).hexdigest()
    try:
        lock.socket.bind(f"\0numpy-to-gpu {home}")  # type: ignore[attr-defined]
    except OSError:
        raise Busy("another run is measuring on this machine; wait for it") from None


def register(results_dir: str) -> str:
    """Nobody else measures here, and asv knows this machine, by the name that is returned."""
    here = load(None, interactive=True)
    here.save(results_dir)
    return here.machine
