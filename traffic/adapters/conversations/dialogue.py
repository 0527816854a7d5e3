"""A conversation as requests: one for each answer, with all that came before it as its prompt. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from traffic.adapters.adapter import request
from traffic.adapters.answer_text import text_of_answer
from traffic.adapters.openai_body import reasoning_in
from traffic.adapters.remarks import Misfit
from traffic.cells.conversations import ROLES
from traffic.cells.nested import nested, unpacked
from traffic.rows.record import Values

Turn = Mapping[str, Any]


def requests_in(values: Values, turns: Any, known: Values) -> Iterator[dict[str, Any]]:
    """The requests in the turns of a record, of all of which this is known; one without an answer where there is none.

    Raises:
        Misfit: there is no list of turns.
    """
    turns = unpacked(turns)
    if not isinstance(turns, list) or not all(isinstance(turn, Mapping) for turn in turns):
        raise Misfit
    answers = _answers(turns)
    for start, end in answers:
        yield request(values, known, _answered(turns[start:end]), messages=turns[:start])
    if not answers:
        yield request(values, known, messages=turns or None)


def _answers(turns: Sequence[Turn]) -> list[tuple[int, int]]:
    """From where to where each answer goes; turns of the assistant that follow each other are one answer."""
    is_answer = [False, *map(_is_answer, turns), False]
    changes = [place for place, (before, now) in enumerate(pairwise(is_answer)) if before != now]
    return list(zip(changes[::2], changes[1::2], strict=True))


def _is_answer(turn: Turn) -> bool:
    role = str(turn.get("from") or turn.get("role")).lower()
    return ROLES.get(role, role) == "assistant"


def _answered(turns: Sequence[Turn]) -> dict[str, Any]:
    """What is known of an answer; of several turns nobody counted the tokens together."""
    usage = nested(turns[0], "usage") if len(turns) == 1 else None
    moment = turns[0].get("timestamp") or turns[0].get("created")
    return {
        **({"arrival_s": moment} if moment else {}),
        "answer": "\n".join(filter(None, map(text_of_answer, turns))) or None,
        "output_tokens": nested(usage, "completion_tokens"),
        "prompt_tokens": nested(usage, "prompt_tokens"),
        "reasoning_tokens": reasoning_in(usage),
        "finish_reason": turns[-1].get("finish_reason"),
    }
