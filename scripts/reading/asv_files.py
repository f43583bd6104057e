"""asv's files, read: what does not fit is an error that names the file, and no traceback later."""

import contextlib
import json
from pathlib import Path
from typing import Any

import msgspec
from asv import util
from asv.util import UserError

from scripts.reading import asv_schema
from scripts.reading.asv_schema import Benchmark, Machine, Result
from scripts.words.shown import plain

asvs_own = util.load_json  # before the plugin replaces it
LISTED = "benchmarks.json"
FORMATS = {Machine: 1, Benchmark: 2, Result: 2}  # the versions of asv's files


def parsed(path: str | Path) -> dict[str, Any]:
    """The object in a file of JSON; UserError if there is none, OSError if it cannot be read."""
    content = Path(path).read_bytes()
    try:
        data = decoded(content)
    except (ValueError, RecursionError) as error:
        raise UserError(f"Error parsing JSON in file '{path}': {error}") from None
    if not isinstance(data, dict):
        raise UserError(f"Error in file '{path}': it is no object")
    return data


def decoded(content: bytes) -> Any:
    """The value of a file of JSON. msgspec takes a sixth of the time, and knows no NaN as asv has
    it; ValueError of half a character, too, which could not be written anywhere."""
    with contextlib.suppress(ValueError):
        return msgspec.json.decode(content)
    text = content.decode()
    data = json.loads(text)
    if "\\ud" in text or "\\uD" in text:
        json.dumps(data, ensure_ascii=False).encode()
    return data


def check_format(path: str | Path, data: dict[str, Any], wanted: int) -> None:
    """UserError unless the file has the version that this asv (0.6.6) writes."""
    found = data.get("version")
    if isinstance(found, int) and 0 <= found < wanted:
        raise UserError(f"{path} is stored in an old file format.  Run `asv update` to update it.")
    if found != wanted:
        raise UserError(f"Error in file '{path}': its version is not {wanted}")


def read(path: str | Path, kind: Any) -> Any:
    """The Machine or Result in the file at `path`; UserError or OSError if there is none."""
    data = parsed(path)
    check_format(path, data, FORMATS[kind])
    try:
        return msgspec.convert(data, kind)
    except ValueError as error:
        raise UserError(f"Error in file '{path}': {error}") from None


def benchmarks(path: str | Path) -> tuple[dict[str, Benchmark], dict[str, str]]:
    """{name: benchmark} of the file at `path`, and {name: why} of those that do not fit.

    UserError or OSError if the file as a whole cannot be read.
    """
    data, found, broken = parsed(path), {}, {}
    check_format(path, data, FORMATS[Benchmark])
    del data["version"]
    for name, listed in data.items():
        try:
            found[name] = msgspec.convert(listed, Benchmark)
            if found[name].name != name:
                raise ValueError("it has another name")
        except ValueError as error:
            found.pop(name, None)
            broken[name] = str(error)
    return found, broken


def check_result(data: dict[str, Any]) -> None:
    """ValueError unless it is a results file of which every row is as asv and we write it."""
    result = msgspec.convert(data, Result)
    for name in result.results:
        row = asv_schema.row_of(result, name)
        if any(map(asv_schema.absurd, row.result or [])):
            raise ValueError(f"a result of {plain(name)} is no measurement's")


def load_json(path: str, api_version: int | None = None, js_comments: bool = False) -> Any:
    """What asv's own returns, with files of another shape as UserErrors that name them.

    All of a file, or nothing: asv writes the results that it has read again.
    """
    if js_comments:  # a configuration, of a user's own
        return asvs_own(path, api_version, js_comments)
    data, place = parsed(path), Path(path)
    try:
        if place.name == "machine.json":
            msgspec.convert(data, Machine)
            data = {fact: plain(value) for fact, value in data.items()}
        elif place.with_name("machine.json").is_file():
            check_result(data)
            data["params"] = {fact: plain(value) for fact, value in data["params"].items()}
    except ValueError as error:
        raise UserError(f"Error in file '{path}': {error}") from None
    if place.name == LISTED:
        for name, why in benchmarks(path)[1].items():
            raise UserError(f"Error in file '{path}': {plain(name)}: {why}")
    if api_version is not None:
        check_format(path, data, api_version)
        del data["version"]
    return data
