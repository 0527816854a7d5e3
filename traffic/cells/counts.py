"""Counts of tokens, in whatever form a file holds a whole number."""

from decimal import Decimal
from typing import Any

from traffic.cells.bad_cell import BadCell

MOST_TOKENS = 10_000_000
"""No LLM answers at this length: beyond it the column holds something else."""

NULLS = frozenset({"", "nan", "null", "none", "na", "n/a", "\\n"})
"""Words for nothing in files that hold only text, in lower case; the last is PostgreSQL's."""


def tokens_of(value: Any, column: str) -> int | None:
    """Tokens of one cell: a whole number, also as a decimal, a float or text; None for a null.

    Raises:
        BadCell: it is no whole number of tokens.
    """
    number = _number(value) if isinstance(value, str) else value
    if number is None or number != number:  # NaN is no number
        return None
    is_number = isinstance(number, int | float | Decimal) and not isinstance(number, bool)
    if not is_number or number != number // 1 or not 0 <= number <= MOST_TOKENS:
        raise BadCell(f"a length must be a whole number of tokens from 0 to {MOST_TOKENS}", value, column)
    return int(number)


def _number(text: str) -> Any:
    """The number that a text is; None for a null, and the text itself if it is none."""
    stripped = text.strip()
    if stripped.lower() in NULLS:
        return None
    try:
        return int(stripped) if stripped.isdecimal() else float(stripped)
    except ValueError:
        return text
