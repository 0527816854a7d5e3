"""A stretch of time: of a log only the rows count whose requests arrived in it."""

from math import inf
from typing import NamedTuple, Self

import pyarrow as pa
import pyarrow.compute as pc

from registry.errors import InvalidInput
from traffic.cells.bad_cell import BadCell
from traffic.cells.times import arrival_of


class ArrivalWindow(NamedTuple):
    """From a moment on, and before another; in seconds as the log counts them, since 1970 where it has dates."""

    since_s: float = -inf
    before_s: float = inf

    @classmethod
    def of(cls, since: str | None, before: str | None) -> Self:
        """Between two moments as a user gives them; without one it is open.

        Raises:
            InvalidInput: one of them is no moment, or they leave nothing between them.
        """
        window = cls(_moment("since", since, -inf), _moment("before", before, inf))
        if window.since_s >= window.before_s:
            raise InvalidInput(f"since must be earlier than before, but got since={since} and before={before}.")
        return window

    @property
    def is_open(self) -> bool:
        """Whether all rows count, those without an arrival too."""
        return self == EVER

    def holds(self, arrival_s: float | None) -> bool:
        """Whether a row counts; one whose arrival nobody knows counts only where all do."""
        return self.is_open or (arrival_s is not None and self.since_s <= arrival_s < self.before_s)

    def holds_each(self, arrivals_s: pa.ChunkedArray) -> pa.ChunkedArray:
        """The same of many, float64 with nulls."""
        is_in = pc.and_(pc.greater_equal(arrivals_s, self.since_s), pc.less(arrivals_s, self.before_s))
        return pc.fill_null(is_in, self.is_open)


EVER = ArrivalWindow()


def _moment(name: str, text: str | None, otherwise_s: float) -> float:
    if text is None:
        return otherwise_s
    try:
        found = arrival_of(text, name)
    except BadCell:
        raise InvalidInput(
            f"{name} must be a date with its time, such as 2026-11-20T08:00+00:00, or seconds since 1970, but got"
            f" {text!r}."
        ) from None
    assert found is not None, "a moment is needed here"
    return found.seconds
