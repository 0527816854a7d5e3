"""LMSYS-Chat-1M: conversations with 25 LLMs, in the form of OpenAI's messages, without lengths or times.

Read in the card of `lmsys/lmsys-chat-1m`, as of November 2026.
"""

from collections.abc import Iterator
from typing import Any

from traffic.adapters.adapter import Adapter, one_by_one
from traffic.adapters.conversations.dialogue import requests_in
from traffic.adapters.remarks import Remarks
from traffic.cells.nested import unpacked
from traffic.rows.record import Values


def _recognises(values: Values) -> bool:
    return isinstance(unpacked(values.get("conversation")), list)


def _requests(values: Values, _: Remarks) -> Iterator[dict[str, Any]]:
    known = {"model": values.get("model"), "session": values.get("conversation_id")}
    yield from requests_in(values, values.get("conversation"), known)


LMSYS = Adapter("LMSYS-Chat", ("conversation", "conversation_id", "model"), _recognises, one_by_one(_requests))
