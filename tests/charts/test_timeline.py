"""`charts/timeline.py`: what waits is pale, what is served has a colour, and all panels have one axis."""

import re
from xml.etree import ElementTree

import pytest

from charts.chart import Panel, Span, SpanChart
from charts.looks import RULE, look
from charts.picture import svg
from tests.charts.svg_texts import SVG, texts

SHORT, LONG = 1, 3
CHART = SpanChart(
    title="The queue",
    x_label="seconds",
    panels=(
        Panel("before", (Span(0, 0, 8, LONG), Span(0, 8, 10, SHORT))),
        Panel("after", (Span(0, 0, 2, SHORT), Span(0, 2, 10, LONG))),
    ),
    pale="waits",
    kinds={SHORT: "short", LONG: "long"},
    says="Short ones go first.",
)


def bars(colour: str) -> list[tuple[float, float]]:
    """Left end and width of the bars of a colour, from the top; squares of the legend are no bars."""
    drawn = ElementTree.fromstring(svg(CHART)).iter(f"{SVG}path")
    found = [
        re.match(r"M([\d.]+),([-\d.]+)h([\d.]+)v", path.attrib["d"]) for path in drawn if path.get("fill") == colour
    ]
    ordered = sorted((float(one[2]), float(one[1]), float(one[3])) for one in found if one)
    return [(left, width) for _, left, width in ordered]


def test_a_span_is_pale_until_its_turn_and_has_its_colour_from_there() -> None:
    (left, waited), *_ = [bar for bar in bars(RULE) if bar[1] > 0]
    begin, _ = bars(look(SHORT).colour)[0]
    assert left == 0
    assert begin == pytest.approx(waited, abs=0.5)


def test_panels_share_one_axis() -> None:
    (_, before), (_, after) = bars(look(LONG).colour)
    assert before == pytest.approx(after, abs=0.5)


def test_panels_stand_one_below_the_other_under_their_titles() -> None:
    bottoms = {text.words: text.bottom for text in texts(svg(CHART))}
    assert bottoms["The queue"] < bottoms["before"] < bottoms["after"] < bottoms["seconds"]


def test_a_legend_names_each_part() -> None:
    assert {"waits", "short", "long"} <= {text.words for text in texts(svg(CHART))}
