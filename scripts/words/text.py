"""Text from elsewhere, made safe to show."""

import re
from typing import Any

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def plain(value: Any) -> Any:
    """`value`; if it is text, without control characters, which a terminal would obey."""
    return CONTROL.sub("", value) if isinstance(value, str) else value
