"""From a chart to SVG: real text that is laid out, readable without being seen, asking for nothing.

Altair writes what Vega-Lite is to draw, and vl-convert draws it: Vega and a font are inside of it, so neither a browser
nor a network is needed, and the same chart is the same picture on every machine.
"""

import re
from html import escape
from typing import Any

import altair as alt
import vl_convert

from charts.axes import wrapped
from charts.bars import bar_chart
from charts.cells import cell_chart
from charts.chart import AnyChart, BarChart, Chart, DotChart, Grid, SpanChart
from charts.dots import dot_chart
from charts.lines import line_chart
from charts.looks import INK, PAPER, QUIET, RULE
from charts.timeline import WIDE, span_chart

WIDTH = 380
"""In pixels: about a phone's, so that letters are legible there."""
PADDING = {"left": 12, "right": 22, "top": 6, "bottom": 8}
"""A viewer's font may be wider than the one that the labels were laid out with."""
VEGA_LITE = "6.4"
STYLE: dict[str, Any] = {
    "aria": False,
    "font": "Liberation Sans, Arial, Helvetica, sans-serif",  # vl-convert brings the first; the others are as wide
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titleColor": QUIET,
        "labelColor": QUIET,
        "gridColor": RULE,
        "domain": False,
        "ticks": False,
        "labelPadding": 6,
        "titlePadding": 10,
    },
    "axisBand": {"grid": False},
    "legend": {"labelFontSize": 12, "labelColor": INK, "symbolStrokeWidth": 2.5, "rowPadding": 3, "offset": 10},
    "title": {"fontSize": 14},
    "text": {"fontSize": 12, "color": INK},
    "line": {"strokeWidth": 2, "strokeJoin": "round"},
    "rule": {"strokeWidth": 1.5},
}

_UNSEEN = re.compile(r'<text[^>]* opacity="0"[^>]*>[^<]*</text>')
"""Labels that would overlap stay in Vega's SVG, and would be found by whoever searches or copies its text."""
_TAG, _LONG_NUMBER = re.compile(r"<[^>]*>"), re.compile(r"(\.\d\d)\d+")


def svg(chart: AnyChart, *, is_alone: bool = True) -> str:
    """Draw a chart; one that is alone has its title and a background, which on a page the page has."""
    spec = _with_frame(_drawn(chart), chart, is_alone)
    picture: str = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE, allowed_base_urls=[])
    picture = _TAG.sub(lambda tag: _LONG_NUMBER.sub(r"\1", tag[0]), _UNSEEN.sub("", picture))
    said = f'role="img" aria-label="{escape(f"{chart.title}. {chart.says}")}"'
    head = f"<title>{escape(chart.title)}</title><desc>{escape(chart.says)}</desc>" if is_alone else ""
    return re.sub(r'class="marks"([^>]*)>', lambda rest: f"{said}{rest[1]}>{head}", picture, count=1)


def file_name(title: str) -> str:
    """A title as a name that every file system takes: `the-p99-wait-by-length`."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _drawn(chart: AnyChart) -> alt.LayerChart:
    match chart:
        case Chart():
            return line_chart(chart)
        case BarChart():
            return bar_chart(chart)
        case DotChart():
            return dot_chart(chart)
        case Grid():
            return cell_chart(chart)
        case SpanChart():
            return span_chart(chart)


def _with_frame(drawn: alt.LayerChart, chart: AnyChart, is_alone: bool) -> dict[str, Any]:
    frame: dict[str, Any] = {"padding": PADDING, "background": PAPER if is_alone else "transparent", "config": STYLE}
    if isinstance(chart, Grid):
        frame["padding"] = {**PADDING, "left": 48}  # its names are long, so a wider font adds more to them
    else:
        width = WIDE if isinstance(chart, SpanChart) else WIDTH
        frame |= {"width": width, "autosize": {"type": "fit-x", "contains": "padding"}}
    if is_alone:
        frame["title"] = {"text": wrapped(chart.title), "color": INK, "anchor": "start", "offset": 14}
        if isinstance(chart, SpanChart):
            frame["title"] |= {"subtitle": list(chart.notes), "subtitleColor": QUIET, "subtitlePadding": 6}
    return {**drawn.to_dict(), **frame}
