"""A chart in numbers and words: what is drawn, not how. Pure."""

from collections.abc import Mapping, Sequence
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
    low: Sequence[float] = ()
    """Where the interval of each `y` begins; empty: there is none."""
    high: Sequence[float] = ()
    """Where it ends."""
    is_joined: bool = True
    """Whether its points belong together; else it is dots alone."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Lines over two axes."""

    title: str
    """A claim or a question, not a list of the axes."""
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    says: str
    """What a reader would see, for those who do not: the alternative text."""
    is_log_x: bool = False
    is_log_y: bool = False
    starts_at_zero: bool = True
    """Whether a `y` that is not logarithmic shows 0."""


@dataclass(frozen=True)
class Bar:
    """One bar; without a value that can be drawn it is a name alone."""

    label: str
    value: float
    text: str
    """The value as it is written beside the bar."""
    slot: int = 1
    low: float | None = None
    """Where the interval of `value` begins; None: there is none."""
    high: float | None = None
    """Where it ends."""


@dataclass(frozen=True, kw_only=True)
class BarChart:
    """Bars, one below the other, that begin at 0: what is twice as long is twice as much."""

    title: str
    value_label: str
    bars: tuple[Bar, ...]
    says: str
    mark: float | None = None
    """A value that a line across all bars stands for, such as that of a guess."""


@dataclass(frozen=True)
class Dots:
    """What one row of a `DotChart` shows."""

    label: str
    values: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class DotChart:
    """Values as dots, a row a group, with a stroke at the mean of each; its axis need not show 0."""

    title: str
    value_label: str
    rows: tuple[Dots, ...]
    says: str


@dataclass(frozen=True)
class Cell:
    """One cell of a grid."""

    row: str
    column: str
    value: float
    text: str
    """What is written in it; line breaks count."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table of which the cells are the darker, the larger their values are."""

    title: str
    row_label: str
    column_label: str
    value_label: str
    cells: tuple[Cell, ...]
    says: str
    ends: tuple[float, float] = (0.0, 1.0)
    """The values of the lightest and of the darkest cell."""


@dataclass(frozen=True)
class Span:
    """A stretch in two parts, such as waiting and being served: pale from `start` to `turn`, then in its colour."""

    start: float
    turn: float
    end: float
    slot: int
    """How its second part looks (`looks.py`)."""


@dataclass(frozen=True)
class Panel:
    """Spans below a title, the first one at the top."""

    title: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, kw_only=True)
class SpanChart:
    """Panels over one axis, one below the other, so that what ends sooner is seen to."""

    title: str
    x_label: str
    panels: tuple[Panel, ...]
    pale: str
    """What the first part of a span is called."""
    kinds: Mapping[int, str]
    """What the second parts are called, by their slot."""
    says: str
    notes: tuple[str, ...] = ()
    """Lines below the title: what was drawn, and how it came about."""


AnyChart = Chart | BarChart | DotChart | Grid | SpanChart
