"""What a request asks for beside its text, as one cell of a column: what a ranker reads of it, and no more. Pure."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from registry.request_features import NOTHING_ASKED, UNKNOWN, Features, asked_of, tools_of

NOTHING = ""
"""Of a request that asks for nothing; a null in a column is one too."""


class Asked(NamedTuple):
    """What is asked for: features in the order of `ASKED_FEATURES`, and the tools that may be called, as text."""

    features: Features
    tools: str = ""


def asked_cell(params: Mapping[str, Any] | None) -> str | None:
    """The cell of a request with these parameters: JSON; None if it asks for nothing that a ranker reads."""
    if not params:
        return None
    asked = Asked(asked_of(params), tools_of(params))
    return None if asked == Asked(NOTHING_ASKED) else json.dumps(asked)


@lru_cache(4096)
def asked_in(cell: str | None) -> Asked:
    """What a cell says; of a log without such cells (None) nobody knows."""
    if not cell:
        return Asked(UNKNOWN if cell is None else NOTHING_ASKED)
    features, tools = json.loads(cell)
    return Asked(tuple(features), tools)
