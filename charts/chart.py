"""A line chart in numbers: what is drawn, not how. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One line of a chart; points with a value that cannot be drawn are left out."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    slot: int
    """How it looks (`looks.py`)."""
    has_dots: bool = True


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart and its words."""

    title: str
    """A claim or a question, not a list of the axes."""
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    says: str
    """What a reader would see, for those who do not: the alternative text."""
    is_log_x: bool = False
    is_log_y: bool = False
