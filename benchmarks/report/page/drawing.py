"""From a chart to what stands in its SVG: paths, ticks and dots in pixels. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from benchmarks.policies.titles import figure
from benchmarks.report.page.scale import Scale, scale_over
from charts.chart import Chart, Line

WIDTH, HEIGHT = 440, 300
"""Small, so that letters stay legible where a phone shrinks the picture."""
LEFT, RIGHT, TOP, BOTTOM = 56, 424, 12, 246
MOST_DOTS = 24


@dataclass(frozen=True)
class Tick:
    """A label on an axis."""

    px: float
    label: str


@dataclass(frozen=True)
class Stroke:
    """A line as SVG draws it."""

    slot: int
    label: str
    path: str
    dots: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Drawing:
    """Everything that the template needs of a chart."""

    chart: Chart
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    strokes: tuple[Stroke, ...]


def drawing(chart: Chart) -> Drawing:
    """Lay a chart out."""
    x = scale_over(chain.from_iterable(line.x for line in chart.lines), LEFT, RIGHT, chart.is_log_x)
    y = scale_over(chain.from_iterable(line.y for line in chart.lines), BOTTOM, TOP, chart.is_log_y)
    return Drawing(chart, _ticks(x), _ticks(y), tuple(_stroke(line, x, y) for line in chart.lines))


def _ticks(scale: Scale) -> tuple[Tick, ...]:
    return tuple(Tick(round(scale(value), 1), figure(value)) for value in scale.ticks)


def _stroke(line: Line, x: Scale, y: Scale) -> Stroke:
    points = [
        (round(x(one), 1), round(y(other), 1))
        for one, other in zip(line.x, line.y, strict=True)
        if x.holds(one) and y.holds(other)
    ]
    dots = tuple(points) if line.has_dots and len(points) <= MOST_DOTS else ()
    return Stroke(line.slot, line.label, _path(points), dots)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points) if points else ""
