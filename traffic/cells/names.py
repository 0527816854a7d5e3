"""Text that a ranker, a tokenizer, a file and a server can all take. Pure."""

from typing import Any


def whole_characters(text: str) -> str:
    """The text, with a question mark for each half of a character: what a cut through an emoji leaves behind."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def name_of(value: Any) -> str | None:
    """A name of whatever type as text; None for a null."""
    return None if value is None or value != value else whole_characters(str(text_in(value)))


def text_in(value: Any) -> Any:
    """The text in bytes, which some writers of parquet leave; any other value as it is."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
