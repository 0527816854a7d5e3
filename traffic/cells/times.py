"""When a request arrived: seconds from any start, a count since 1970 in any unit, or a date. Pure."""

from datetime import UTC, datetime
from math import isfinite
from typing import Any, NamedTuple

from traffic.cells.bad_cell import BadCell
from traffic.cells.counts import NULLS

UNITS = (
    (1e17, 1e9, "nanoseconds since 1970"),
    (1e14, 1e6, "microseconds since 1970"),
    (1e11, 1e3, "milliseconds since 1970"),
)
"""From which number on, how many make a second, and the unit's name: 1e11 s would be the year 5138, 1e11 ms is 1973."""

SECONDS = "seconds"
DATES = "dates"
DATES_WITHOUT_ZONE = "dates without a zone, taken as UTC"


class Arrival(NamedTuple):
    """A time in seconds, and in what form the file had it."""

    seconds: float
    form: str


def arrival_of(value: Any, column: str, is_needed: bool = True) -> Arrival | None:
    """Seconds of a number or a date; dates count from 1970, and only differences matter. None for a null.

    Raises:
        BadCell: it is no time, or none where one is needed.
    """
    moment = _number_or_date(value) if isinstance(value, str) else value
    if isinstance(moment, datetime):
        has_zone = moment.tzinfo is not None
        moment = moment if has_zone else moment.replace(tzinfo=UTC)
        return Arrival(moment.timestamp(), DATES if has_zone else DATES_WITHOUT_ZONE)
    if _is_null(moment) and not is_needed:
        return None
    seconds = _finite(moment)
    if seconds is None:
        raise BadCell("an arrival must be a number of seconds or a date with its time", value, column)
    for least, per_s, form in UNITS:
        if abs(seconds) >= least:
            return Arrival(seconds / per_s, form)
    return Arrival(seconds, SECONDS)


def seconds_between(start: Any, end: Any) -> float | None:
    """From one time to a later one; None where either is missing, is no time or came the other way round."""
    try:
        first, last = (arrival_of(moment, "", is_needed=False) for moment in (start, end))
    except BadCell:
        return None
    return last.seconds - first.seconds if first and last and last.seconds >= first.seconds else None


def _is_null(value: Any) -> bool:
    return value is None or value != value or (isinstance(value, str) and value.strip().lower() in NULLS)


def _finite(value: Any) -> float | None:
    try:
        number = None if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number is not None and isfinite(number) else None


def _number_or_date(text: str) -> Any:
    stripped = text.strip()
    try:
        return float(stripped)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(stripped.replace(" UTC", "+00:00"))  # as databases print it
    except ValueError:
        return text
