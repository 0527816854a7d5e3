"""The request as a ranker sees it: the one way from a string or chat messages to text.

The text is the user's, before any chat template. Where messages stand in an API's body, `serving.api_bodies` knows, and
what of the text a network reads, `registry.window`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

TEXT_OF_PART: Mapping[str, str] = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "refusal": "refusal",
    "thinking": "thinking",
    "tool_reference": "name",
}
"""The content parts that vLLM counts as text -> the field that holds it; one without it is skipped, as vLLM does."""

TOO_LARGE = "too_large"
"""The reason of a request that is not read because of its size."""


class UnrankableContent(ValueError):
    """A request without a text to rank; `reason` is one word for a counter: `empty`, `image`, ..."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"a ranker reads text, but the request holds none that it can use: {reason}.")
        self.reason = reason


Text = str | UnrankableContent
"""What can be ranked, or why it can't."""
Conversation = Sequence[Mapping[str, Any]]


def reason_of(error: Exception) -> UnrankableContent:
    """Why a request whose reading ended in `error` has no text: what the error says, or a form that nobody expected."""
    return error if isinstance(error, UnrankableContent) else UnrankableContent("malformed")


def render_messages(messages: Conversation) -> str:
    """Render chat messages as the text to rank.

    One user message alone is its own text, so that a length log of prompts and a chat request agree.
    Anything longer is `role: text` paragraphs in order, by whose marks `registry.window.parts` tells them apart.

    Raises:
        UnrankableContent: a part that is not text (`reason` is its type), or no text at all (`empty`).
        Exception: of any other kind, if they are not in the form of chat messages.
    """
    turns = [(str(message["role"]), content_text(message.get("content"))) for message in messages]
    turns = [(role, text) for role, text in turns if text.strip()]
    if not turns:
        raise UnrankableContent("empty")
    if len(turns) == 1 and turns[0][0] == "user":
        return turns[0][1]
    return "\n\n".join(f"{role}: {text}" for role, text in turns)


def content_text(content: Any) -> str:
    """The text of one message: a string as it is, of parts those that are text; none of what only calls tools.

    Raises:
        UnrankableContent: a part is not text.
    """
    if content is None:  # an assistant's turn that only calls tools
        return ""
    if isinstance(content, str):
        return content
    return "\n".join(text for part in content if (text := _part_text(part)) is not None)


def _part_text(part: Any) -> str | None:
    if isinstance(part, str):
        return part
    kind = _kind(part)
    if kind not in TEXT_OF_PART:
        raise UnrankableContent("image" if "image" in kind else "not_text")
    text = part.get(TEXT_OF_PART[kind])
    return None if text is None else str(text)


def _kind(part: Mapping[str, Any]) -> str:
    """Its type; a part that names none is what it holds, as `{"image_url": ...}`."""
    kind = part.get("type")
    return str(kind) if kind is not None else "text" if "text" in part else next(iter(part), "text")
