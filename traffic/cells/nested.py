"""Values inside of values, where a database or a spreadsheet may have turned any of them into JSON text. Pure."""

import json
from typing import Any


def nested(value: Any, *path: str | int) -> Any:
    """What lies at the end of a path; None where it breaks off."""
    for step in path:
        value = unpacked(value)
        try:
            value = value[step]
        except (TypeError, KeyError, IndexError):
            return None
    return unpacked(value)


def unpacked(value: Any) -> Any:
    """The object or the list that a text is the JSON of; any other value as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
