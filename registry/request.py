"""The request as a ranker sees it: the one way from a string, chat messages or any API's body to text, then to tokens.

The text is the user's, before any chat template. Completions, and whatever else hands a bare prompt to the engine,
carry it as the engine's own prompt.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from tokenizers import Tokenizer

Items = TypeVar("Items", str, list[int])

TEXT_RENDERING = "head-tail-1"
"""Names the behaviour of this file. It stands in every card: a ranker trained under another one refuses to load."""

CHARACTERS_PER_TOKEN = 16
"""More than any ordinary token has: what is clipped by characters would not have survived the clip by tokens."""


class UnrankableContent(ValueError):
    """A request without a text to rank; `reason` is one word for a counter: `empty`, `image`, ..."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"a ranker reads text, but the request holds none that it can use: {reason}.")
        self.reason = reason


Body = Mapping[str, Any]
Text = str | UnrankableContent
"""What can be ranked, or why it can't."""
Conversation = Sequence[Mapping[str, Any]]


def render_messages(messages: Sequence[Mapping[str, Any]]) -> str:
    """Render chat messages as the text to rank.

    One user message alone is its own text, so that a length log of prompts and a chat request agree.
    Anything longer is `role: text` paragraphs in order.

    Raises:
        UnrankableContent: a part that is not text (`reason` is its type), or no text at all (`empty`).
        TypeError, KeyError: not in the form of chat messages.
    """
    turns = [(str(message["role"]), _content_text(message.get("content"))) for message in messages]
    turns = [(role, text) for role, text in turns if text.strip()]
    if not turns:
        raise UnrankableContent("empty")
    if len(turns) == 1 and turns[0][0] == "user":
        return turns[0][1]
    return "\n\n".join(f"{role}: {text}" for role, text in turns)


def encode(tokenizer: Tokenizer, text: str, max_tokens: int) -> list[int]:
    """Token ids of a text, special tokens included; of a long one the head and the tail, `max_tokens` in all.

    Instructions stand at either end of a long prompt, so the middle is what goes. The clip by characters comes
    first and makes a prompt of a megabyte cost no more than one of a page.
    """
    room = max_tokens - tokenizer.num_special_tokens_to_add(is_pair=False)
    clipped = _head_and_tail(text, room * CHARACTERS_PER_TOKEN).encode("utf-8", "replace").decode()  # lone surrogates
    ids: list[int] = tokenizer.encode(clipped, add_special_tokens=False).ids
    special: list[int] = tokenizer.encode("").ids
    begin, end = special[: len(special) // 2], special[len(special) // 2 :]
    return begin + _head_and_tail(ids, room) + end


def _head_and_tail(items: Items, room: int) -> Items:
    if len(items) <= room:
        return items
    tail = room // 2
    return items[: room - tail] + items[len(items) - tail :]


def _content_text(content: Any) -> str:
    if content is None:  # an assistant's turn that only calls tools
        return ""
    if isinstance(content, str):
        return content
    return "\n".join(_part_text(part) for part in content)


def _part_text(part: Any) -> str:
    if isinstance(part, str):
        return part
    kind = str(part.get("type", "text"))
    if kind not in {"text", "input_text", "output_text"}:
        raise UnrankableContent("image" if "image" in kind else "not_text")
    return str(part["text"])


def texts_of(path: str, body: Any) -> list[Text] | None:
    """The text of each engine request that a body causes, in order; None where the engine's own prompt is the text."""
    conversations_of = RANKABLE_PATHS.get(path)
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


RANKABLE_PATHS: Mapping[str, Callable[[Body], list[Conversation] | None]] = {
    "/v1/completions": _completions,
    "/v1/chat/completions": _chat,
    "/v1/chat/completions/batch": _chat_batch,
    "/v1/responses": _responses,
    "/v1/messages": _anthropic,
    "/cohere/v2/chat": _chat,
    "/invocations": _any_of_these,
}
"""Routes whose bodies can be ranked -> the conversations in one; None where they are the engine's own prompt."""
