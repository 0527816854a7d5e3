"""Fields of a request's body, whatever stands in them: found by their paths, understood as numbers, words or sizes.

What cannot be understood is None, never an error, and nothing is looked at whole that may be large.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice
from math import isfinite
from numbers import Real
from typing import Any

Params = Mapping[str, Any]
Paths = tuple[tuple[str, ...], ...]

NUMBERS = (int, float, str, Real, Decimal)
"""What a number may be, the usual ones first: telling the others costs microseconds."""
MOST_PARTS = 1000
"""Values that are looked at of a schema; one of more counts as one of so many."""
MOST = 2.0**31
"""A number above it counts as it."""
MOST_WORD = 32
"""Characters of a word or of a number in writing."""
SWITCHES = {"enabled": 1.0, "adaptive": 1.0, "disabled": 0.0, "true": 1.0, "false": 0.0}


def paths(*dotted: str) -> Paths:
    """Ways to fields, each as its steps: `name.name` is the field of an object."""
    return tuple(tuple(one.split(".")) for one in dotted)


def found(params: Params, ways: Paths) -> Iterator[Any]:
    """What lies at the ends of those ways that do not break off, and is not null."""
    for first, *others in ways:
        value = params.get(first)
        for step in others:
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is not None:
            yield value


def number(value: Any) -> float | None:
    """A number from 0 on, in figures or in writing."""
    if isinstance(value, bool) or not isinstance(value, NUMBERS):
        return None
    if isinstance(value, str) and len(value) > MOST_WORD:
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return min(read, MOST) if isfinite(read) and read >= 0 else None


def word(value: Any, scale: Mapping[str, float]) -> float | None:
    """What a word stands for on a scale."""
    return scale.get(value.strip().lower()) if isinstance(value, str) and len(value) <= MOST_WORD else None


def switch(value: Any) -> float | None:
    """1 for on and 0 for off."""
    return float(value) if isinstance(value, bool) else word(value, SWITCHES)


def size(value: Any) -> float:
    """Of a schema: the characters of its names and texts. A number in the place of one is its size already."""
    characters, waiting = 0.0, [value]
    for _ in range(MOST_PARTS):
        if not waiting:
            break
        one = waiting.pop()
        if isinstance(one, Mapping):
            characters += sum(len(name) for name in islice(one, MOST_PARTS) if isinstance(name, str))
            waiting += islice(one.values(), MOST_PARTS)
        elif isinstance(one, list | tuple):
            waiting += one[:MOST_PARTS]
        else:
            characters += len(one) if isinstance(one, str) else number(one) or 0.0
    return min(characters, MOST)
