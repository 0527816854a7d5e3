"""Bars that begin at 0."""

import altair as alt

from charts.axes import can_be_drawn, scale_of, x_axis
from charts.chart import Bar, BarChart
from charts.looks import INK, QUIET, look
from charts.rows import BELOW_PX, ROW_PX, Row, data, names, rows

BAR_PX = 13


def bar_chart(chart: BarChart) -> alt.LayerChart:
    """Bars, each below its name and its value, with its interval."""
    bars = [_row(place, bar) for place, bar in enumerate(chart.bars) if can_be_drawn(bar.value, is_log=False)]
    intervals = [{"place": place, **_interval(bar)} for place, bar in enumerate(chart.bars) if _interval(bar)]
    marks = [{"mark": chart.mark}] if chart.mark is not None else []
    numbers = [float(one) for row in (*bars, *intervals, *marks) for name, one in row.items() if name in _NUMBERS]
    scale, axis = scale_of(numbers, is_log=False), x_axis(chart.value_label)
    value, low, mark = (alt.X(f"{name}:Q", scale=scale, axis=axis) for name in ("value", "low", "mark"))
    texts = rows({"place": place, "text": bar.text} for place, bar in enumerate(chart.bars))
    layers = [
        rows(bars).mark_bar(height=BAR_PX, yOffset=BELOW_PX).encode(x=value, color=alt.Color("colour:N", scale=None)),
        rows(intervals).mark_rule(yOffset=BELOW_PX, color=INK).encode(x=low, x2="high:Q"),
        alt.Chart(data(marks)).mark_rule(strokeDash=[4, 3], color=QUIET).encode(x=mark),
        names(bar.label for bar in chart.bars),
        texts.mark_text(align="right", dy=-BELOW_PX).encode(text="text:N", x=alt.value("width")),
    ]
    return alt.LayerChart(layer=layers, height=ROW_PX * len(chart.bars))


_NUMBERS = ("value", "low", "high", "mark")


def _row(place: int, bar: Bar) -> Row:
    return {"place": place, "value": float(bar.value), "colour": look(bar.slot).colour}


def _interval(bar: Bar) -> dict[str, float]:
    if bar.low is None or bar.high is None or not can_be_drawn(bar.low + bar.high + bar.value, is_log=False):
        return {}
    return {"low": float(bar.low), "high": float(bar.high)}
