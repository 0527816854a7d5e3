"""What the bodies of requests and responses say: of Chat Completions, Completions and Responses. Pure.

Read in the API's reference and in vLLM 0.32 (`entrypoints/openai`); requests of Anthropic's Messages have `system`
beside their messages, as gateways keep them.
"""

from collections.abc import Mapping
from typing import Any

from traffic.adapters.answer_text import text_of_answer
from traffic.cells.nested import nested, unpacked
from traffic.cells.params import params_of


def asked(body: Any) -> dict[str, Any]:
    """The columns of a request that its body fills; none where there is no body."""
    body = unpacked(body)
    if not isinstance(body, Mapping):
        return {}
    named = {"messages": _messages(body), "prompt": _prompt(unpacked(body.get("prompt"))), "model": body.get("model")}
    return {name: value for name, value in named.items() if value} | params_of(body)


def _messages(body: Mapping[str, Any]) -> Any:
    """The chat with the instructions that stand beside it."""
    given = unpacked(body.get("messages") or body.get("input"))
    system = unpacked(body.get("instructions") or body.get("system"))
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    return [{"role": "system", "content": system}, *given] if system and isinstance(given, list) else given


def _prompt(value: Any) -> Any:
    """The one text of a completion; of several only the sum of the answers' tokens is known, and ids are no text."""
    if isinstance(value, list):
        return value[0] if len(value) == 1 and isinstance(value[0], str) else None
    return value


def answered(response: Any) -> dict[str, Any]:
    """The columns of a request that its response fills, the answer's text among them; none where there is none."""
    response = unpacked(response)
    if not isinstance(response, Mapping):
        return {}
    is_alone = answers_in(response) == 1
    return {
        "output_tokens": _usage(response, "completion_tokens", "output_tokens") if is_alone else None,
        "prompt_tokens": _usage(response, "prompt_tokens", "input_tokens"),
        "reasoning_tokens": reasoning_in(response.get("usage")) if is_alone else None,
        "answer": text_of_answer(response) if is_alone else None,
        "finish_reason": ending(response),
    }


def answers_in(response: Any) -> int:
    """How many answers a response holds; of several only the sum of their tokens is known."""
    choices = nested(response, "choices")
    return max(1, len(choices)) if isinstance(choices, list) else 1


def ending(response: Any) -> Any:
    """The finish reason of an answer, as Chat Completions and as Responses have it."""
    reason = nested(response, "choices", 0, "finish_reason") or nested(response, "stop_reason")
    return reason or nested(response, "incomplete_details", "reason") or nested(response, "status")


def reasoning_in(usage: Any) -> Any:
    """Tokens of an answer that were reasoning, as its usage says."""
    details = (nested(usage, f"{kind}_tokens_details", "reasoning_tokens") for kind in ("completion", "output"))
    return next((tokens for tokens in details if tokens is not None), None)


def _usage(response: Any, *names: str) -> Any:
    return next((tokens for name in names if (tokens := nested(response, "usage", name)) is not None), None)
