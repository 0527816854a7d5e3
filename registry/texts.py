"""What a ranker should read of each API's request body. Pure: one small function for each form, and one table.

The text is the user's, before any chat template. Completions, and whatever else hands a bare prompt to the engine,
carry it as the engine's own prompt.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from registry.request import UnrankableContent, render_messages

Body = Mapping[str, Any]
Text = str | UnrankableContent
"""What can be ranked, or why it can't."""


def texts_of(path: str, body: Any) -> list[Text] | None:
    """The text of each engine request that a body causes, in order; None where the engine's own prompt is the text."""
    conversations_of = _CONVERSATIONS_BY_PATH.get(path)
    if conversations_of is None or not isinstance(body, Mapping):
        return None
    try:
        conversations = conversations_of(body)
    except (TypeError, KeyError, AttributeError):
        return [UnrankableContent("malformed")]
    return None if conversations is None else [_render(messages) for messages in conversations]


def model_of(body: Any) -> str | None:
    """The model name that the client asks for; None if it leaves that to the server."""
    model = body.get("model") if isinstance(body, Mapping) else None
    return model if isinstance(model, str) and model else None


def uses_beam_search(body: Any) -> bool:
    """Whether the engine will see one request a step, whose `max_tokens` of 1 says nothing of the answer."""
    return isinstance(body, Mapping) and bool(body.get("use_beam_search"))


def cap_tokens(body: Any) -> int | None:
    """The longest answer that the client allows, by whatever name its API gives it."""
    names = ("max_completion_tokens", "max_output_tokens", "max_tokens")
    caps = [body.get(name) for name in names] if isinstance(body, Mapping) else []
    return next((cap for cap in caps if isinstance(cap, int) and cap > 0), None)


Conversation = Sequence[Mapping[str, Any]]


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
        return [{"role": "tool", "content": item["output"]}]
    return []  # calls and reasoning of earlier turns


def _anthropic(body: Body) -> list[Conversation]:
    turns = ({"role": turn["role"], "content": _blocks(turn["content"])} for turn in body["messages"])
    return [[*_system(body.get("system")), *turns]]


def _blocks(content: Any) -> Any:
    if isinstance(content, str):
        return content
    parts: list[Any] = []
    for block in content:
        if block["type"] == "tool_result":
            parts += [nested] if isinstance(nested := block.get("content") or "", str) else _blocks(nested)
        elif block["type"] not in {"tool_use", "thinking", "redacted_thinking"}:
            parts.append(block)
    return parts


def _completions(body: Body) -> None:
    """The engine's own prompt: each of a list is an engine request of its own."""


def _any_of_these(body: Body) -> list[Conversation] | None:
    """The route that takes several APIs' bodies and tells them apart by their fields."""
    if "messages" in body:
        return _chat(body)
    return _responses(body) if "input" in body else None


def _system(text: Any) -> list[Mapping[str, Any]]:
    return [{"role": "system", "content": text}] if text else []


def _render(messages: Conversation) -> Text:
    try:
        return render_messages(messages)
    except UnrankableContent as reason:
        return reason
    except (TypeError, KeyError, AttributeError):
        return UnrankableContent("malformed")


_CONVERSATIONS_BY_PATH: dict[str, Callable[[Body], list[Conversation] | None]] = {
    "/v1/completions": _completions,
    "/v1/chat/completions": _chat,
    "/v1/chat/completions/batch": _chat_batch,
    "/v1/responses": _responses,
    "/v1/messages": _anthropic,
    "/cohere/v2/chat": _chat,
    "/invocations": _any_of_these,
}
