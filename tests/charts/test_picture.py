"""`charts/picture.py` and what it draws: nothing is cut off, whatever the values and the names are."""

from functools import cache
from itertools import combinations
from math import inf, nan
from xml.etree import ElementTree

import numpy as np
import pytest

from charts.chart import AnyChart, Bar, BarChart, Cell, Chart, DotChart, Dots, Grid, Line, Panel, Span, SpanChart
from charts.picture import file_name, svg
from tests.charts.svg_texts import SVG, size, texts

LONG = "the running mean of a template, by all the rules that a router has, and one more"


def chart(*lines: Line, is_log_x: bool = False, is_log_y: bool = False, label: str = "s per output token") -> Chart:
    return Chart(
        title="Seconds <per> token & more",
        x_label="arrival rate ÷ capacity",
        y_label=label,
        lines=lines,
        says='A "line" falls.',
        is_log_x=is_log_x,
        is_log_y=is_log_y,
    )


def line(*values: float, label: str = "PARS", slot: int = 1) -> Line:
    return Line(label, list(np.linspace(0.5, 1.5, len(values))), values, slot)


TEN = tuple(line(1.0, 2.0 + place, label=f"{LONG} ({place})", slot=place) for place in range(10))
BARS = BarChart(
    title="Means",
    value_label="s per output token",
    bars=(Bar("FCFS", 0.4, "0.4", 0, 0.3, 0.5), Bar(LONG, 4.35e-4, "0.000435"), Bar("unknown", nan, "not known")),
    says="Means.",
)
DOTS = DotChart(
    title="Ablation", value_label="kendall_tau_b", rows=(Dots(LONG, (0.61, 0.62)), Dots("b", (nan,))), says="D"
)
GRID = Grid(
    title="Tau-b",
    row_label="ranker",
    column_label="target LLM",
    value_label="kendall_tau_b",
    cells=(Cell(LONG, LONG, 0.9, "0.900\n0.850 to 0.950"), Cell("b", "y", nan, "not known")),
    says="G",
)
SPANS = SpanChart(
    title=LONG,
    x_label="seconds",
    panels=(Panel(LONG, (Span(0, 1, 3, 1), Span(0.5, 2, 9, 3))), Panel("nobody came", ())),
    pale="waits",
    kinds={1: "is being answered: short", 3: "long"},
    says="S",
    notes=("a line", LONG),
)
EXTREMES: dict[str, AnyChart] = {
    "tiny": chart(line(4e-5, 4.35e-4)),
    "tiny, log": chart(line(4e-5, 6e-5, 4.35e-4), is_log_y=True),
    "huge": chart(line(0, 123_456), line(999_999, 1e6)),
    "huge, log": chart(line(1e-6, 1e9), is_log_y=True),
    "less than a decade": chart(line(0.91, 1.2), is_log_x=True, is_log_y=True),
    "one point": chart(line(0.3), is_log_x=True, is_log_y=True),
    "identical": chart(line(5, 5, 5), is_log_y=True),
    "zeros": chart(line(0, 0, 0)),
    "negative": chart(line(-0.2, 0.3)),
    "not to be drawn": chart(line(nan, inf, -1.0), is_log_y=True),
    "no line": chart(),
    "ten policies": chart(*TEN),
    "a long label": chart(line(1, 2), label=LONG),
    "bars": BARS,
    "dots": DOTS,
    "grid": GRID,
    "spans": SPANS,
}


@cache
def drawn(case: str) -> str:
    return svg(EXTREMES[case])


@pytest.mark.parametrize("case", EXTREMES)
def test_no_text_is_cut_off_in_a_font_that_is_wider(case: str) -> None:
    picture = drawn(case)
    width, height = size(picture)
    cut = [text for text in texts(picture) if text.left < -1 or text.right > width + 1 or text.bottom > height]
    assert cut == []


@pytest.mark.parametrize("case", sorted(EXTREMES.keys() - {"grid"}))  # the names of its columns are slanted
def test_no_text_lies_over_another(case: str) -> None:
    assert [(a.words, b.words) for a, b in combinations(texts(drawn(case)), 2) if a.overlaps(b)] == []


def test_small_numbers_are_written_whole() -> None:
    words = {text.words for text in texts(svg(chart(line(4.35e-4, 0.0))))}
    assert {"0", "0.0001", "0.0004"} <= words


def test_a_logarithmic_axis_has_equal_steps_for_equal_ratios() -> None:
    at = {text.words: text.bottom for text in texts(svg(chart(line(1, 1000), is_log_y=True)))}
    assert at["1"] - at["10"] == pytest.approx(at["10"] - at["100"], abs=0.1)
    assert at["1"] - at["10"] == pytest.approx(at["100"] - at["1,000"], abs=0.1)


def test_bars_begin_at_zero() -> None:
    bars = BarChart(title="t", value_label="s", bars=(Bar("a", 9.0, "9"), Bar("b", 10.0, "10")), says="s")
    picture = svg(bars)
    paths = [path for path in ElementTree.fromstring(picture).iter(f"{SVG}path") if path.get("fill") == "#0064ad"]
    lengths = [float(path.attrib["d"].split("h")[1].split("v")[0]) for path in paths]
    assert lengths[0] / lengths[1] == pytest.approx(0.9, abs=0.01)
    assert "0" in {text.words for text in texts(picture)}


def test_lines_can_be_told_apart_without_colour() -> None:
    root = ElementTree.fromstring(drawn("ten policies"))
    dashes = [path.attrib["stroke-dasharray"] for path in root.iter(f"{SVG}path") if path.get("stroke-dasharray")]
    lines, named = dashes[:10], dashes[10:]
    assert sorted(lines) == sorted(named)
    assert len(set(lines)) >= 9


def test_lines_of_the_same_name_stay_two() -> None:
    words = [text.words for text in texts(svg(chart(line(1, 2), line(2, 3, slot=2))))]
    assert words.count("PARS") == 2


def test_whoever_cannot_see_it_is_told() -> None:
    root = ElementTree.fromstring(svg(chart(line(1, 2))))
    assert root.get("role") == "img"
    assert root.get("aria-label") == 'Seconds <per> token & more. A "line" falls.'
    assert root.findtext(f"{SVG}title") == "Seconds <per> token & more"
    assert root.findtext(f"{SVG}desc") == 'A "line" falls.'


def test_nothing_lies_outside_and_nothing_is_hidden() -> None:
    picture = drawn("ten policies")
    assert "href" not in picture.replace("xmlns:xlink", "")
    assert "url(" not in picture
    assert 'opacity="0"' not in picture


def test_the_same_chart_is_the_same_picture() -> None:
    assert svg(BARS) == svg(BARS)


def test_what_cannot_be_drawn_is_said() -> None:
    assert "no value that can be drawn" in drawn("not to be drawn")


def test_a_title_becomes_a_file_name() -> None:
    assert file_name("Seconds per token: the p90 ÷ it?") == "seconds-per-token-the-p90-it"
