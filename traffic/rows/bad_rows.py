"""Rows that cannot be used: gathered, so that a user sees them together, and tolerated up to a share."""

from collections.abc import Callable
from typing import NamedTuple

from registry.errors import InvalidInput
from traffic.cells.bad_cell import BadCell
from traffic.rows.record import Place

SHOWN = 10


class BadRow(NamedTuple):
    """What is wrong with a row: a sentence in two halves."""

    place: Place
    rule: str
    """What must be."""
    held: str
    """What is there instead."""
    in_short: str
    """The same in a list of bad rows."""
    cell: BadCell | None = None
    """The cell that breaks the rule; None where the row as a whole does."""

    @property
    def sentence(self) -> str:
        """All of it, without its full stop."""
        return f"{self.rule}, but {self.place} {self.held}"


class BadRows:
    """The bad rows of one reading: the first some, and how many there are.

    Raises:
        InvalidInput: the tolerated share is none.
    """

    def __init__(self, tolerated_share: float) -> None:
        if not 0 <= tolerated_share <= 1:
            raise InvalidInput(f"bad_row_share must be in [0, 1], but got {tolerated_share}.")
        self.count = 0
        self.tell: Callable[[BadRow], None] | None = None
        """Told of each of them, where somebody wants to keep them all."""
        self._tolerated_share = tolerated_share
        self._first: list[BadRow] = []

    def add_cell(self, place: Place, cell: BadCell) -> None:
        """Count a row for one of its cells."""
        held = f"{cell.value!r} in column {cell.column!r}"
        self.add(BadRow(place, cell.rule, f"has {held}", held, cell))

    def add(self, row: BadRow) -> None:
        """Count a row."""
        self.count += 1
        if len(self._first) < SHOWN:
            self._first.append(row)
        if self.tell is not None:
            self.tell(row)

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
        lines = [f"  {bad.place}: {bad.in_short}" for bad in self._first]
        more = [f"  and {self.count - SHOWN:,} more"] if self.count > SHOWN else []
        rest = f"{self.count:,} of {rows:,} rows are bad; mend them, or leave them out with bad_row_share=SHARE"
        return "\n".join([f"{first}; {rest}:", *lines, *more])
