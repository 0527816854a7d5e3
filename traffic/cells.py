"""What one cell of a length log may hold. Pure."""

from math import isnan
from typing import Any

from registry.errors import InvalidInput
from registry.request import UnrankableContent, render_messages
from traffic.table import Columns

MAX_OUTPUT_TOKENS = 10_000_000
"""No LLM answers at this length: beyond it the column holds something else."""


def output_tokens_of(value: Any, index: int, column: str) -> int | None:
    """Tokens of one cell, or None for a null."""
    if value is None or (isinstance(value, float) and isnan(value)):
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or value != value // 1 or not 0 <= value <= MAX_OUTPUT_TOKENS:
        raise InvalidInput(
            f"a length must be a whole number of tokens from 0 to {MAX_OUTPUT_TOKENS}, but row {index + 1} (the first"
            f" is 1) has {str(value)[:60]!r} in column {column!r}."
        )
    return int(value)


def text_of(columns: Columns, index: int, prompt_column: str) -> str | None:
    """The text of one row, or None if it has none that a ranker can read."""
    value, column = (columns[prompt_column][index] if prompt_column in columns else None), prompt_column
    if value is None and "messages" in columns:
        value, column = columns["messages"][index], "messages"
    try:
        text = render_messages(value) if isinstance(value, list) else value
    except UnrankableContent:
        return None
    except (TypeError, KeyError, AttributeError) as error:
        text = error
    if text is not None and not isinstance(text, str):
        raise InvalidInput(
            f"a prompt must be text or a list of chat messages, but row {index + 1} (the first is 1) has"
            f" {str(value)[:60]!r} in column {column!r}."
        )
    return text if text and text.strip() else None
