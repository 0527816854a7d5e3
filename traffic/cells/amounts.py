"""Amounts that need not be whole: seconds, predicted tokens."""

from math import isfinite
from typing import Any

from traffic.cells.bad_cell import BadCell
from traffic.cells.counts import NULLS


def amount_of(value: Any, column: str) -> float | None:
    """A number from 0, also as text; None for a null.

    Raises:
        BadCell: it is no such number.
    """
    if value is None or value != value or (isinstance(value, str) and value.strip().lower() in NULLS):
        return None
    try:
        amount = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        amount = float("nan")
    if not isfinite(amount) or amount < 0:
        raise BadCell(f"{column} must be a number from 0", value, column)
    return amount
