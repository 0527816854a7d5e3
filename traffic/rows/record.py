"""A record as a file holds it: what all readers of files yield and all adapters take."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Values = Mapping[str, Any]


class Place(NamedTuple):
    """Where a row stands in a log."""

    row: int
    """The first is 1."""
    file: str | None = None
    """The file's name, where a log has several."""
    unit: Literal["row", "line", "item"] = "row"
    """What is counted."""

    def __str__(self) -> str:
        """In words."""
        if self.unit != "row":
            return f"{self.unit} {self.row}"
        return f"row {self.row} (the first is 1)" + (f" of {self.file}" if self.file else "")


class Record(NamedTuple):
    """One row of a file, or one request that an adapter made of it."""

    values: Values
    row: int
    """Its place in the file; the first is 1."""
    file: str | None = None
    """The file's name, where a log has several."""

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.row, self.file)
