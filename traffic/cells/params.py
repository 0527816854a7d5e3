"""The parameters of a request that say something of its answer's length, by the names of the APIs. Pure."""

from collections.abc import Mapping
from typing import Any

from registry.features.asked_features import FIELDS
from traffic.cells.nested import unpacked

PARAMS = FIELDS
"""As Chat Completions, Completions, Responses and Messages call them, and vLLM what a chat template is given."""
PARAMS_COLUMN = "params"
"""Where a log of our own form has all that was asked for, as JSON."""
AMBIGUOUS = ("n", "text")
"""As columns of a log they mostly mean the number of a row, and its prompt: they count in bodies and in `params`."""
PARAM_COLUMNS = (PARAMS_COLUMN, *(name for name in PARAMS if name not in AMBIGUOUS))
"""Columns that a log of our own form may have them in."""

NAMES = frozenset(PARAM_COLUMNS)


def params_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Those that a request's body has; what a database turned into JSON text is an object again."""
    named = {name: unpacked(value) for name in PARAMS if _is_given(value := body.get(name))}
    if not isinstance(named.get("text"), Mapping):  # of Responses; elsewhere it may be the prompt
        named.pop("text", None)
    return named


def params_in(row: Mapping[str, Any]) -> dict[str, Any]:
    """Those that a row of a log has.

    What stands in a column of its own comes before the same in the column `params`, which may say more than is known
    here.
    """
    if NAMES.isdisjoint(row):  # as in most logs
        return {}
    together = unpacked(row.get(PARAMS_COLUMN))
    named = ((name, row.get(name)) for name in PARAM_COLUMNS[1:])
    found = [*(together.items() if isinstance(together, Mapping) else ()), *named]
    return {name: unpacked(value) for name, value in found if _is_given(value)}


def _is_given(value: Any) -> bool:
    return value is not None and value == value  # NaN is none
