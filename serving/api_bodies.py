"""What of each API's body a ranker reads: the conversations in it, and the few fields beside them.

Completions, and whatever else hands a bare prompt to the engine, carry their text as the engine's own prompt.
Read in the source of vLLM 0.32: what its routes make a message's content, is text here; what they skip, is skipped.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from registry.request import TOO_LARGE, Conversation, Text, UnrankableContent, reason_of
from registry.request_features import CAP_FEATURE, RequestView, view_of

Body = Mapping[str, Any]
View = RequestView | UnrankableContent
"""What a ranker reads of a request, or why there is nothing to read."""

MOST_VALUES = 100_000
"""A body of more commas and opening brackets is not parsed: that would stop the event loop for a tenth of a second.

Those within strings count too, since telling them apart is the parsing; four megabytes of prose have half as many.
"""


def has_too_many_values(raw: bytes) -> bool:
    """Whether parsing a body would stop the event loop for long; telling costs some milliseconds for four megabytes."""
    return sum(raw.count(mark) for mark in (b",", b"[", b"{")) > MOST_VALUES


def parsed(raw: bytes) -> Any:
    """The JSON of a body; None if it is none, which is the application's to say.

    Raises:
        UnrankableContent: reading it would take long, or is more than this machine can do.
    """
    if has_too_many_values(raw):
        raise UnrankableContent(TOO_LARGE)
    try:
        return json.loads(raw)
    except ValueError:
        return None
    except (RecursionError, MemoryError) as error:
        raise reason_of(error) from None


def conversations_of(path: str, body: Any) -> Sequence[Conversation] | None:
    """The conversation of each engine request that a body causes, in order, to be rendered one by one.

    None where the engine's own prompt is the text.

    Raises:
        Exception: of any kind, if the body has a form that nobody expected.
    """
    conversations = RANKABLE_PATHS.get(path)
    return None if conversations is None or not isinstance(body, Mapping) else conversations(body)


def model_of(body: Any) -> str | None:
    """The model name that the client asks for; None if it leaves that to the server."""
    model = body.get("model") if isinstance(body, Mapping) else None
    return model if isinstance(model, str) and model else None


def request_view(text: Text, body: Any, *, reads_cap: bool) -> View:
    """What a ranker reads of a request, if there is a text."""
    return text if isinstance(text, UnrankableContent) else view_in_body(text, body, reads_cap=reads_cap)


def view_in_body(text: str, body: Any, *, reads_cap: bool) -> RequestView:
    """What a ranker reads of a text and the body that it came in.

    A limit of tokens that imposes a recorded length tells the truth: where it caps no place, it is not read either.
    """
    view = view_of(text, body if isinstance(body, Mapping) else None)
    return view if reads_cap else view.without(CAP_FEATURE)


def uses_beam_search(body: Any) -> bool:
    """Whether the engine will see one request a step, whose `max_tokens` of 1 says nothing of the answer."""
    return isinstance(body, Mapping) and bool(body.get("use_beam_search"))


def cap_tokens(body: Any) -> int | None:
    """The longest answer that the client allows, by whatever name its API gives it."""
    names = ("max_completion_tokens", "max_output_tokens", "max_tokens")
    caps = [body.get(name) for name in names] if isinstance(body, Mapping) else []
    return next((cap for cap in caps if isinstance(cap, int) and cap > 0), None)


def _chat(body: Body) -> list[Conversation]:
    return [body["messages"]]


def _chat_batch(body: Body) -> list[Conversation]:
    return list(body["messages"])


def _responses(body: Body) -> list[Conversation]:
    given = body["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    return [[*_system(body.get("instructions")), *(message for item in items for message in _response_item(item))]]


def _response_item(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "role" in item:
        return [item]
    if item.get("type") == "function_call_output":
        return [{"role": "tool", "content": item.get("output")}]
    return []  # calls and reasoning of earlier turns


def _anthropic(body: Body) -> list[Conversation]:
    turns = ({"role": turn["role"], "content": _blocks(turn["content"], turn["role"])} for turn in body["messages"])
    return [[*_system(_blocks(body.get("system"), "system")), *turns]]


def _blocks(content: Any, role: str) -> Any:
    """The content of one turn as chat parts. Of a system prompt vLLM reads the text alone."""
    if content is None or isinstance(content, str):
        return content
    if role == "system":
        return [block for block in content if isinstance(block, str) or block.get("type", "text") == "text"]
    parts: list[Any] = []
    for block in content:
        if block["type"] == "tool_result":
            parts += _results(block.get("content") or "")
        elif block["type"] not in SKIPPED_BLOCKS:
            parts.append(block)
    return parts


def _results(content: Any) -> list[Any]:
    """What a tool answered, as chat parts: of its blocks vLLM reads these and no others."""
    if isinstance(content, str):
        return [content]
    parts: list[Any] = []
    for block in content:
        kind = block.get("type") if isinstance(block, Mapping) else None
        if kind == "tool_result":
            parts += _results(block.get("content") or "")
        elif kind == "tool_reference":
            parts.append({"type": kind, "name": block.get("tool_name") or block.get("name")})
        elif kind in {"text", "image"}:
            parts.append(block)
    return parts


def _cohere(body: Body) -> list[Conversation]:
    return [[{**turn, "content": _cohere_blocks(turn.get("content"))} for turn in body["messages"]]]


def _cohere_blocks(content: Any) -> Any:
    if content is None or isinstance(content, str):
        return content
    return [_cohere_block(block) for block in content if isinstance(block, str) or block.get("type") != "thinking"]


def _cohere_block(block: Any) -> Any:
    """A tool's document is its JSON, as vLLM writes it; other blocks are chat parts as they are."""
    if isinstance(block, str) or block.get("type") != "document":
        return block
    return {"type": "text", "text": json.dumps(block["document"])}


def _completions(body: Body) -> None:
    """The engine's own prompt: each of a list is an engine request of its own."""


def _any_of_these(body: Body) -> list[Conversation] | None:
    """The route that takes several APIs' bodies and tells them apart by their fields."""
    if "messages" in body:
        return _chat(body)
    return _responses(body) if "input" in body else None


def _system(text: Any) -> list[Mapping[str, Any]]:
    return [{"role": "system", "content": text}] if text else []


SKIPPED_BLOCKS = frozenset({"tool_use", "tool_reference", "thinking", "redacted_thinking"})
"""Blocks of Anthropic's turns that vLLM makes no content of: calls of tools, and reasoning, which stands elsewhere."""

RANKABLE_PATHS: Mapping[str, Callable[[Body], list[Conversation] | None]] = {
    "/v1/completions": _completions,
    "/v1/chat/completions": _chat,
    "/v1/chat/completions/batch": _chat_batch,
    "/v1/responses": _responses,
    "/v1/messages": _anthropic,
    "/cohere/v2/chat": _cohere,
    "/invocations": _any_of_these,
}
"""Routes whose bodies can be ranked -> the conversations in one; None where they are the engine's own prompt."""
