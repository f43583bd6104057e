"""What an untrusted machine measured: looked at, then added to results/, all of it or nothing.

Only new plain files with the names of results are taken, whole and as they are; nothing that is
recorded changes. The standard library only, but for `read`: it runs where a token may write.
"""

import itertools
import json
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

MANY = 20  # files or folders in one folder; a night leaves three
LARGEST = 8 << 20  # bytes; a full run's results have 0.4 MB
MACHINE = re.compile(r"[A-Za-z0-9_]+(?:[.-]+[A-Za-z0-9_]+)*")
RESULT = re.compile(
    r"([0-9a-f]{8}-[A-Za-z0-9_]+(?:[.+-]+[A-Za-z0-9_]+)*)(\.json|\.noise\.jsonl|\.provenance\.jsonl)"
)
Files = dict[tuple[str, str], bytes]  # by machine and name
FACTS = {
    *("machine", "gpu", "link", "num_gpu", "os", "arch", "cpu", "num_cpu", "ram", "version"),
}


class Refused(Exception):
    """Why nothing is taken; one line, in which an untrusted name can do nothing."""

    def __init__(self, what: object, why: str) -> None:
        super().__init__(f"Refused: {str(what)[-100:]!a} {why}")


def listed(folder: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        entries = list(itertools.islice(found, MANY + 1))
    if len(entries) > MANY:
        raise Refused(os.path.basename(folder), f"holds more than {MANY} files")
    return entries


def handed_over(folder: str | Path) -> Files:
    """{(machine, name): bytes} of all there is in `folder`; Refused if there is anything else."""
    files = {}
    for machine in listed(folder):
        named = MACHINE.fullmatch(machine.name)
        if not named or len(machine.name) > 100 or not machine.is_dir(follow_symlinks=False):
            raise Refused(machine.name, "is no machine's folder")
        for file in listed(machine.path):
            of_result = file.name == "machine.json" or RESULT.fullmatch(file.name)
            if not of_result or len(file.name) > 200:
                raise Refused(file.name, "is no name of a result")
            files[machine.name, file.name] = content(file)
    return files


def content(file: os.DirEntry[str]) -> bytes:
    """The bytes of a plain file; a link or a device is not even opened."""

    def plain(about: os.stat_result) -> bool:
        return stat.S_ISREG(about.st_mode) and about.st_nlink == 1

    if plain(file.stat(follow_symlinks=False)):
        with open(os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as opened:
            if plain(os.fstat(opened.fileno())):
                data = opened.read(LARGEST + 1)
                if len(data) > LARGEST:
                    raise Refused(file.name, f"is larger than {LARGEST} bytes")
                return data
    raise Refused(file.name, "is no plain file")


def parsed(name: str, data: bytes) -> list[dict[str, Any]]:
    """The objects in the file: one in .json, one a line in .jsonl."""
    try:
        text = data.decode("ascii")  # as asv and we write it
        lines = [text] if name.endswith(".json") else text.splitlines()
        found = [json.loads(line) for line in lines]
    except (ValueError, RecursionError):
        raise Refused(name, "is no JSON") from None
    if not all(isinstance(one, dict) for one in found) or not sane(found):
        raise Refused(name, "holds what no result holds")
    return found


def sane(value: Any) -> bool:
    """Whether all in it can be shown, and computed with: no control character, no huge integer."""
    waiting = [value]
    while waiting:  # not by recursion: how deep it is, the file says
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str):
            if not one.isprintable() or len(one) > 1000:
                return False
        elif isinstance(one, int) and abs(one) >= 1 << 63:
            return False
    return True


def check(files: Files, commit: str, results: str | Path) -> dict[Path, bytes]:
    """The files to add, of `files` as `handed_over` gives them; Refused if one may not be."""
    if not any(map(RESULT.fullmatch, (name for _, name in files))):
        raise Refused("the folder", "holds no result")
    alike(files, results)
    new = {}
    for (machine, name), data in files.items():
        objects = parsed(name, data)
        if name == "machine.json":
            check_machine(machine, objects[0], results)
        else:
            check_result(machine, name, objects, commit, files)
        path = Path(results, machine, name)
        if not os.path.lexists(path):
            new[path] = data
        elif name != "machine.json":
            raise Refused(f"{machine}/{name}", "is recorded already; what is recorded stays")
    for machine in {machine for machine, _ in files}:
        folder = Path(results, machine)
        if os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir()):
            raise Refused(machine, "is no folder in results/")
        if (machine, "machine.json") not in files and not known(machine, results):
            raise Refused(machine, "has no machine.json")
    return new


def known(machine: str, results: str | Path) -> dict[str, Any]:
    """What is recorded of a machine; {} if it is new."""
    path = Path(results, machine, "machine.json")
    return json.loads(path.read_text()) if path.is_file() else {}


def check_machine(machine: str, facts: dict[str, Any], results: str | Path) -> None:
    """That they are facts of a machine, and no others than those that are recorded.

    More of them, as a later version knows, are no contradiction, and are not taken.
    """
    whole = facts.get("machine") == machine and set(facts) <= FACTS
    if not whole or not all(isinstance(value, (str, int)) for value in facts.values()):
        raise Refused(f"{machine}/machine.json", "is not of this machine")
    for fact, value in known(machine, results).items():
        if facts.get(fact) != value:
            raise Refused(f"{machine}/machine.json", f"says another {fact} than is recorded")


def check_result(
    machine: str, name: str, objects: list[dict[str, Any]], commit: str, files: Files
) -> None:
    """That it is of the commit measured, and of the machine and environment that its name says."""
    named = RESULT.fullmatch(name)
    assert named  # handed_over takes no other
    stem, suffix = named.groups()
    if suffix == ".json":
        (first,) = objects
        params = first.get("params")
        of = (first.get("commit_hash"), params.get("machine") if isinstance(params, dict) else None)
        if of != (commit, machine) or stem != f"{commit[:8]}-{first.get('env_name')}":
            raise Refused(f"{machine}/{name}", f"is no result of {commit[:8]} there")
    elif (machine, f"{stem}.json") not in files:
        raise Refused(f"{machine}/{name}", "is beside no result")


def alike(files: Files, results: str | Path) -> None:
    """Refused if two names differ by capitals only: on some systems they are one file."""
    there = [path.relative_to(results).parts for path in Path(results).rglob("*")]
    names = {"/".join(parts[:end]) for parts in [*there, *files] for end in (1, 2)}
    for _, same in itertools.groupby(sorted(names, key=str.lower), str.lower):
        if len(twins := list(same)) > 1:
            raise Refused(twins[1], f"differs from {twins[0]!a} by capitals only")


def read(paths: Iterable[Path], commit: str, results: str | Path) -> None:
    """Refused if what reads results cannot read one of `paths`, or leaves some of it out."""
    from scripts.reading import points
    from scripts.recording import provenance

    paths = [path for path in paths if path.suffix == ".json" and path.name != "machine.json"]
    runs = [(path.parent.name, commit, path.stem.partition("-")[2]) for path in paths]
    try:
        _, left_out = points.load(results, runs)
        for path in paths:
            provenance.load(provenance.path_beside(path))
    except Exception as error:  # whatever it is that they stumble over
        left_out = [f"{type(error).__name__}: {error}"]
    if left_out:
        raise Refused("the folder", f"cannot be read whole: {left_out[0]!a}")


def take(folder: str | Path, commit: str, results: str | Path, readable: bool) -> list[Path]:
    new = check(handed_over(folder), commit, results)
    written = []
    try:
        for path, data in new.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "xb") as file:  # not through a link, and with no mode of its own
                written.append(path)
                file.write(data)
        if readable:
            read(written, commit, results)
    except BaseException:
        for path in written:
            path.unlink()
        raise
    return written
