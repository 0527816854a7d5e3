"""A row of traffic from what an endpoint answered. Pure."""

from collections.abc import Mapping
from typing import Any

from traffic.cells.bad_cell import BadCell
from traffic.cells.counts import tokens_of
from traffic.cells.endings import ending_of
from traffic.cells.nested import nested
from traffic.collect.asking.refusals import Passing
from traffic.collect.questions import Question

BROKEN_OFF = ("abort", "error")
"""Finish reasons of a server that stops or fails: nothing is learned from how far the answer had come."""
PROMPT_FIELDS = ("messages", "prompt")


def row_of(question: Question, answer: Any, sent_s: float, end_to_end_s: float, keeps_text: bool) -> dict[str, Any]:
    """One answer as a row of our own form; `sent_s` counts since 1970, `end_to_end_s` since then.

    Raises:
        Passing: it is no answer of such an endpoint, or does not say how long it is.
    """
    choice = nested(answer, "choices", 0)
    output_tokens = _count(answer, "completion_tokens")
    if not isinstance(choice, Mapping) or output_tokens is None:
        raise Passing("an answer without choices or usage.completion_tokens")
    if choice.get("finish_reason") in BROKEN_OFF:
        raise Passing(f"finish_reason {choice['finish_reason']}")
    ending = ending_of(choice.get("finish_reason"))
    body = question.body
    row = {
        "request_id": question.request_id,
        "session": question.session,
        "arrival_s": round(sent_s, 3),
        "model": body["model"],
        **{name: body[name] for name in PROMPT_FIELDS if name in body},
        "params": {name: value for name, value in body.items() if name not in ("model", *PROMPT_FIELDS)},
        "prompt_tokens": _count(answer, "prompt_tokens"),
        "output_tokens": output_tokens,
        "reasoning_tokens": _count(answer, "completion_tokens_details", "reasoning_tokens"),
        "finish_reason": choice.get("finish_reason"),
        "ending": ending.ending if ending.is_said else None,
        "time_to_first_token_s": None,
        "end_to_end_s": round(end_to_end_s, 4),
    }
    return {**row, "answer": _text_of(choice)} if keeps_text else row


def _count(answer: Any, *path: str) -> int | None:
    """Tokens as the endpoint counts them; a number that no length log may hold is none."""
    try:
        return tokens_of(nested(answer, "usage", *path), path[-1])
    except BadCell:
        return None


def _text_of(choice: Mapping[str, Any]) -> str | None:
    """The text of a chat's or a completion's answer; None of one that only calls tools."""
    message = choice.get("message")
    text = message.get("content") if isinstance(message, Mapping) else choice.get("text")
    return None if text is None else str(text)
