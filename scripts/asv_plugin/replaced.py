"""The replacements inside asv: what is put in the place of what, and what breaks without it."""

import functools
from collections.abc import Callable
from typing import Any

REPLACED: dict[str, str] = {}  # what of asv's: what breaks without it


def replace(owner: Any, name: str, without: str, *importers: Any) -> Callable[[Any], Any]:
    """Put what is decorated in the place of `owner`'s `name`; `without` it, that is what happens.

    `importers` are modules that have imported the name. A function gets asv's own as its first
    argument; a class stands for itself.
    """

    def decorate(ours: Any) -> Any:
        original = getattr(owner, name)
        REPLACED[f"{owner.__name__}.{name}".removeprefix("asv.")] = without

        @functools.wraps(original)
        def replacement(*args: Any, **kwargs: Any) -> Any:
            return ours(original, *args, **kwargs)

        for one in owner, *importers:
            setattr(one, name, ours if isinstance(ours, type) else replacement)
        return ours

    return decorate
