"""Spans over one axis, panel below panel: what waits is pale, what is served has a colour."""

from collections.abc import Iterator
from itertools import accumulate

import altair as alt

from charts.axes import scale_of, x_axis
from charts.chart import Panel, Span, SpanChart
from charts.looks import RULE, look
from charts.rows import Row, data

WIDE = 760
"""In pixels: about that of a page of text on a wide screen."""
SPAN_PX, GAP_PX, TITLE_PX = 4, 1, 36
"""A span, what parts it from the next, and the room of a panel's title above its spans."""


def span_chart(chart: SpanChart) -> alt.LayerChart:
    """The panels one below the other, each with its title."""
    *tops, height = [0, *accumulate(map(_height, chart.panels))]
    placed = list(zip(tops, chart.panels, strict=True))
    bars = [bar for top, panel in placed for bar in _bars(chart, panel, top)]
    titles: list[Row] = [{"top": top + TITLE_PX / 2, "title": panel.title} for top, panel in placed]
    x = alt.X("start:Q", scale=scale_of((float(bar["end"]) for bar in bars), is_log=False), axis=x_axis(chart.x_label))
    y = alt.Y("top:Q", scale=alt.Scale(domain=[0, height], reverse=True), axis=None)
    named = alt.Chart(data(titles)).mark_text(align="left", baseline="middle", fontSize=13, fontWeight="bold")
    layers = [
        alt.Chart(data(bars)).mark_rect().encode(x=x, x2="end:Q", y=y, y2="bottom:Q", color=_colours(chart)),
        named.encode(x=alt.value(0), y=y, text="title:N"),
    ]
    return alt.LayerChart(layer=layers, height=height)


def _height(panel: Panel) -> int:
    return TITLE_PX + (SPAN_PX + GAP_PX) * len(panel.spans)


def _bars(chart: SpanChart, panel: Panel, top: float) -> Iterator[Row]:
    for place, span in enumerate(panel.spans):
        begin = top + TITLE_PX + (SPAN_PX + GAP_PX) * place
        yield from _parts(chart, span, {"top": begin, "bottom": begin + SPAN_PX})


def _parts(chart: SpanChart, span: Span, row: Row) -> Iterator[Row]:
    yield {**row, "start": span.start, "end": span.turn, "part": chart.pale}
    yield {**row, "start": span.turn, "end": span.end, "part": chart.kinds[span.slot]}


def _colours(chart: SpanChart) -> alt.Color:
    parts = {chart.pale: RULE} | {name: look(slot).colour for slot, name in chart.kinds.items()}
    legend = alt.Legend(title=None, orient="top", labelLimit=0, symbolType="square", symbolSize=140, columnPadding=30)
    return alt.Color("part:N", scale=alt.Scale(domain=list(parts), range=list(parts.values())), legend=legend)
