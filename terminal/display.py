"""What a display of progress is told."""

from dataclasses import dataclass
from typing import Protocol

QUICK_S = 1.0
"""What takes no longer leaves no trace of its end."""


@dataclass(frozen=True)
class Work:
    """What is done, of what, and how many of them there are, if that is known."""

    title: str
    unit: str
    total: int | None

    def count(self, done: int) -> str:
        """How far it has come, in words."""
        return f"{done:,} {self.unit}" if self.total is None else f"{done:,} of {self.total:,} {self.unit}"


class Display(Protocol):
    """Shows one piece of work."""

    def show(self, done: int, taken_s: float) -> float:
        """Show how many are done, the first call being the beginning; return after how many seconds to call again."""

    def end(self, done: int, taken_s: float) -> None:
        """It is over, or was given up: so many were done."""
