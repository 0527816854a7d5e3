"""The text of an answer in whatever form a log keeps it: what a tokenizer counts where the length is missing. Pure."""

from collections.abc import Mapping
from typing import Any

from traffic.cells.nested import unpacked

THOUGHTS = ("reasoning_content", "reasoning")
"""What was thought before an answer and counts as part of it."""
FORMS = ("choices", "message", "content", "parts", "text", "value", "output_text", "output", "response", "refusal")
"""Where the text of an answer stands, or what holds it."""
DEEPEST = 8


def text_of_answer(value: Any) -> str | None:
    """The text of a message, of content parts, of a whole response or of text that is the JSON of one; None for none.

    Of an answer that is JSON itself, as one asked for by a schema, the text is that JSON.
    """
    text = _text(unpacked(value), DEEPEST)
    return text or (value if isinstance(value, str) and value else None)


def _text(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return value
    if not depth:
        return ""
    if isinstance(value, Mapping):
        thoughts = next((text for name in THOUGHTS if isinstance(text := value.get(name), str) and text), "")
        said = next((text for name in FORMS if (text := _text(value.get(name), depth - 1))), "")
        return thoughts + said
    return "\n".join(filter(None, (_text(one, depth - 1) for one in value))) if isinstance(value, list) else ""
