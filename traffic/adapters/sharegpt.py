"""ShareGPT and what looks like it: conversations, each answer of which is a request with all that came before it."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from traffic.adapters.adapter import Adapter, Tell
from traffic.cells.conversations import ROLES
from traffic.cells.nested import nested, unpacked
from traffic.rows.record import Record, Values

COLUMNS = ("conversations", "conversation")
"""ShareGPT's name, and that of LMSYS-Chat and WildChat."""


def _recognises(values: Values) -> bool:
    return any(isinstance(unpacked(values.get(name)), list) for name in COLUMNS)


def _requests(records: Iterable[Record], _: Tell) -> Iterator[Record]:
    for record in records:
        turns = next((turns for name in COLUMNS if (turns := unpacked(record.values.get(name))) is not None), None)
        if not isinstance(turns, list) or not all(isinstance(turn, Mapping) for turn in turns):
            turns = []
        for end in _ends_of_answers(turns) or [len(turns)]:
            yield record._replace(
                values={**record.values, "messages": turns[:end], "output_tokens": _tokens(turns, end)}
            )


def _ends_of_answers(turns: list[Any]) -> list[int]:
    """Where each answer ends; turns of the assistant that follow each other are one answer."""
    is_answer = [*map(_is_answer, turns), False]
    return [place for place, (now, after) in enumerate(pairwise(is_answer), 1) if now and not after]


def _is_answer(turn: Mapping[str, Any]) -> bool:
    role = str(turn.get("from") or turn.get("role")).lower()
    return ROLES.get(role, role) == "assistant"


def _tokens(turns: list[Any], end: int) -> Any:
    return nested(turns[end - 1], "usage", "completion_tokens") if end else None


SHAREGPT = Adapter("ShareGPT", (*COLUMNS, "model"), _recognises, _requests)
