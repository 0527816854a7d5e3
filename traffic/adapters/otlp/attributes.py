"""Attributes as OTLP JSON writes them, as plain values. Pure.

Read in `opentelemetry-proto` (`common.proto`: AnyValue) and in OTLP's specification of JSON: names in camelCase,
integers of 64 bits as text; writers that keep the names of the proto files are read too.
"""

from collections.abc import Mapping
from typing import Any

DEEPEST = 16


def listed(value: Any, *names: str) -> list[Mapping[str, Any]]:
    """The objects in the first list that an object has under one of these names."""
    held = [value.get(name) for name in names] if isinstance(value, Mapping) else []
    found = next((one for one in held if isinstance(one, list)), [])
    return [one for one in found if isinstance(one, Mapping)]


def attributes_of(value: Any) -> dict[str, Any]:
    """The attributes of a span, of an event or of a resource: a list of keys with values, or an object of them."""
    return _plain_map(value, DEEPEST)


def _plain_map(value: Any, depth: int) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {str(key): one for key, one in value.items()}
    pairs = [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
    return {str(pair.get("key")): _plain(pair.get("value"), depth) for pair in pairs}


def _plain(value: Any, depth: int) -> Any:
    if not isinstance(value, Mapping) or not depth:
        return value
    for name, held in value.items():
        kind = str(name).replace("_", "").lower()
        inner = held.get("values") if isinstance(held, Mapping) else held
        if kind == "arrayvalue":
            return [_plain(one, depth - 1) for one in inner] if isinstance(inner, list) else []
        if kind == "kvlistvalue":
            return _plain_map(inner, depth - 1)
        if kind in ("stringvalue", "intvalue", "doublevalue", "boolvalue", "bytesvalue"):
            return held
    return None
