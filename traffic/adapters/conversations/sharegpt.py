"""ShareGPT and what looks like it: `conversations` of turns with `from` and `value`, or with `role` and `content`.

There is no specification; read in the files that go by the name and in vLLM 0.32 (`benchmarks/datasets`).
"""

from collections.abc import Iterator
from typing import Any

from traffic.adapters.adapter import Adapter, one_by_one
from traffic.adapters.conversations.dialogue import requests_in
from traffic.adapters.remarks import Remarks
from traffic.cells.nested import unpacked
from traffic.rows.record import Values


def _recognises(values: Values) -> bool:
    return isinstance(unpacked(values.get("conversations")), list)


def _requests(values: Values, _: Remarks) -> Iterator[dict[str, Any]]:
    known = {"model": values.get("model"), "session": values.get("id")}
    yield from requests_in(values, values.get("conversations"), known)


SHAREGPT = Adapter("ShareGPT", ("conversations", "model", "id"), _recognises, one_by_one(_requests))
