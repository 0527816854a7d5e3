"""A record as a file holds it: what all readers of files yield and all adapters take."""

from collections.abc import Mapping
from typing import Any, NamedTuple

Values = Mapping[str, Any]


class Record(NamedTuple):
    """One row of a file, or one request that an adapter made of it."""

    values: Values
    row: int
    """Its place in the file; the first is 1."""
    file: str | None = None
    """The file's name, where a log has several."""

    @property
    def place(self) -> str:
        """Where it stands, in words."""
        return f"row {self.row} (the first is 1)" + (f" of {self.file}" if self.file else "")
