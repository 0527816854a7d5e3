"""Lines over two axes."""

import json
import textwrap
from collections.abc import Callable

import altair as alt

from charts.axes import can_be_drawn, scale_of, x_axis, y_axis
from charts.chart import Chart, Line
from charts.looks import QUIET, look
from charts.rows import data

HEIGHT, MIDDLE = 190, 160
"""In pixels; the second is about the middle of the width."""
MOST_DOTS = 24
"""On a line; more of them would hide it."""
MANY_POINTS = 200
"""So many lie over each other, and are drawn small and pale."""
DOTTED = (2, 6)
"""How a legend shows dots that no line joins."""
MOST_NAMED = 20
"""Lines; a legend of more would be longer than the chart."""
WIDE_LETTERS = 20
"""A label that is longer has a row of the legend to itself."""
LABEL_LETTERS, LABEL_LINES = 36, 3
"""A label that is longer is broken between words; one of more lines ends in dots."""

Point = dict[str, str | float]


def line_chart(chart: Chart) -> alt.LayerChart:
    """All lines of a chart, with whichever of their points can be drawn."""
    joined, dotted = _points(chart, lambda line: line.is_joined), _points(chart, _has_dots)
    points = [*joined, *dotted]
    across = scale_of((float(point["x"]) for point in points), chart.is_log_x, starts_at_zero=False)
    heights = (float(point[name]) for point in points for name in ("y", "low", "high") if name in point)
    up, axis = scale_of(heights, chart.is_log_y, chart.starts_at_zero), y_axis(chart.y_label)
    x, y = alt.X("x:Q", scale=across, axis=x_axis(chart.x_label)), alt.Y("y:Q", scale=up, axis=axis)
    low, colour = alt.Y("low:Q", scale=up, axis=axis), _colours(chart)
    intervals = alt.Chart(data(point for point in points if "low" in point))
    layers = [
        intervals.mark_rule().encode(x=x, y=low, y2="high:Q", color=colour),
        alt.Chart(data(joined)).mark_line().encode(x=x, y=y, color=colour, strokeDash=_dashes(chart)),
        _dots(dotted).encode(x=x, y=y, color=colour),
        _excuse(points),
    ]
    return alt.LayerChart(layer=layers, height=HEIGHT)


def _has_dots(line: Line) -> bool:
    return not line.is_joined or (line.has_dots and len(line.x) <= MOST_DOTS)


def _points(chart: Chart, is_shown: Callable[[Line], bool]) -> list[Point]:
    """Points of some lines; a line is known by its place in the chart, since labels may repeat."""
    return [
        {"line": place, "marker": look(line.slot).marker, "x": float(x), "y": float(y), **interval}
        for place, line in enumerate(chart.lines)
        if is_shown(line)
        for x, y, interval in zip(line.x, line.y, _intervals(line, chart.is_log_y), strict=True)
        if can_be_drawn(x, chart.is_log_x) and can_be_drawn(y, chart.is_log_y)
    ]


def _intervals(line: Line, is_log: bool) -> list[dict[str, float]]:
    if not line.low:
        return [{} for _ in line.x]
    return [
        {"low": float(low), "high": float(high)} if can_be_drawn(low, is_log) and can_be_drawn(high, is_log) else {}
        for low, high in zip(line.low, line.high, strict=True)
    ]


def _dots(points: list[Point]) -> alt.Chart:
    size, opacity = (12, 0.35) if len(points) > MANY_POINTS else (45, 1)
    marked = alt.Chart(data(points)).mark_point(filled=True, size=size, opacity=opacity)
    dots: alt.Chart = marked.encode(shape=alt.Shape("marker:N", scale=None))
    return dots


def _excuse(points: list[Point]) -> alt.Chart:
    """What is written into a chart in which no point can be drawn."""
    written = alt.Chart(data([] if points else [{}])).mark_text(text="no value that can be drawn", color=QUIET)
    text: alt.Chart = written.encode(x=alt.value(MIDDLE), y=alt.value(HEIGHT / 2))
    return text


def _places(chart: Chart) -> list[int]:
    return list(range(len(chart.lines)))


def _colours(chart: Chart) -> alt.Color:
    colours = [look(line.slot).colour for line in chart.lines]
    return alt.Color("line:N", scale=alt.Scale(domain=_places(chart), range=colours), legend=_legend(chart))


def _dashes(chart: Chart) -> alt.StrokeDash:
    dashes = [list(look(line.slot).dashes if line.is_joined else DOTTED) for line in chart.lines]
    return alt.StrokeDash("line:N", scale=alt.Scale(domain=_places(chart), range=dashes), legend=_legend(chart))


def _legend(chart: Chart) -> alt.Legend | None:
    labels = [line.label for line in chart.lines]
    if not any(labels) or len(labels) > MOST_NAMED:
        return None
    return alt.Legend(
        title=None,
        labelExpr=f"{json.dumps([_broken(label) for label in labels])}[datum.value]",
        columns=1 if max(map(len, labels)) > WIDE_LETTERS else 2,
        labelLimit=0,
        orient="bottom",
        symbolType="stroke",
        symbolSize=1000,
    )


def _broken(label: str) -> list[str]:
    return textwrap.wrap(label, LABEL_LETTERS, max_lines=LABEL_LINES, placeholder=" …") or [""]
