"""Rows that cannot be used: gathered, so that a user sees them together, and tolerated up to a share."""

from typing import NamedTuple

from registry.errors import InvalidInput
from traffic.cells.bad_cell import BadCell

SHOWN = 10


class BadRow(NamedTuple):
    """What is wrong with a row."""

    sentence: str
    """Without its full stop."""
    in_short: str
    """The same in a list of bad rows."""


class BadRows:
    """The bad rows of one reading: the first some, and how many there are.

    Raises:
        InvalidInput: the tolerated share is none.
    """

    def __init__(self, tolerated_share: float) -> None:
        if not 0 <= tolerated_share <= 1:
            raise InvalidInput(f"bad_row_share must be in [0, 1], but got {tolerated_share}.")
        self.count = 0
        self._tolerated_share = tolerated_share
        self._first: list[BadRow] = []

    def add_cell(self, place: str, cell: BadCell) -> None:
        """Count a row for one of its cells."""
        held = f"{cell.value!r} in column {cell.column!r}"
        self.add(place, f"{cell.rule}, but {place} has {held}", held)

    def add(self, place: str, sentence: str, in_short: str) -> None:
        """Count a row."""
        self.count += 1
        if len(self._first) < SHOWN:
            self._first.append(BadRow(sentence, f"{place}: {in_short}"))

    def check(self, rows: int) -> None:
        """Refuse a log with more bad rows than are tolerated.

        Raises:
            InvalidInput: names them, the first some with what is wrong.
        """
        if self.count > self._tolerated_share * rows:
            raise InvalidInput(self._told(rows))

    def note(self) -> str:
        """What is said of those that were tolerated."""
        return f"{self.count:,} bad rows were left out; the first: {self._first[0].sentence}."

    def _told(self, rows: int) -> str:
        first = self._first[0].sentence
        if self.count == 1:
            return f"{first}."
        lines = [f"  {bad.in_short}" for bad in self._first]
        more = [f"  and {self.count - SHOWN:,} more"] if self.count > SHOWN else []
        rest = f"{self.count:,} of {rows:,} rows are bad; mend them, or leave them out with bad_row_share=SHARE"
        return "\n".join([f"{first}; {rest}:", *lines, *more])
