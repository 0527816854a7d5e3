"""WildChat: conversations whose turns say since 2025 how many tokens they took, and when they came.

Read in the cards of `allenai/WildChat`, `WildChat-1M` and `WildChat-4.8M`, of August 2025. Turns of the first two
have no `usage`: a tokenizer counts them. The time of a turn is that of its answer; that
of a conversation is its last turn's.
"""

from collections.abc import Iterator
from typing import Any

from traffic.adapters.adapter import Adapter, one_by_one
from traffic.adapters.conversations.dialogue import requests_in
from traffic.adapters.remarks import Remarks
from traffic.cells.nested import nested, unpacked
from traffic.rows.record import Values

COLUMNS = ("conversation", "conversation_hash", "conversation_id", "model", "timestamp", "hashed_ip")
TURN_COLUMNS = frozenset({"turn_identifier", "usage", "hashed_ip", "toxic"})


def _recognises(values: Values) -> bool:
    turns = unpacked(values.get("conversation"))
    first = nested(turns, 0)
    is_its = {"conversation_hash", "timestamp"} & values.keys() or (
        isinstance(first, dict) and TURN_COLUMNS & first.keys()
    )
    return isinstance(turns, list) and bool(is_its)


def _requests(values: Values, _: Remarks) -> Iterator[dict[str, Any]]:
    known = {
        "model": values.get("model"),
        "session": values.get("conversation_hash") or values.get("conversation_id"),
        "tenant": values.get("hashed_ip"),
        "arrival_s": values.get("timestamp"),
    }
    yield from requests_in(values, values.get("conversation"), known)


WILDCHAT = Adapter("WildChat", COLUMNS, _recognises, one_by_one(_requests))
