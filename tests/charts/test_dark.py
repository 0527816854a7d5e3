"""`charts/dark.py`: a picture that is legible on a dark page, too."""

import re
from xml.etree import ElementTree

from charts.chart import Bar, BarChart
from charts.dark import for_every_screen
from charts.looks import DARK_PAPER, INK, PAPER
from charts.picture import svg
from tests.charts.svg_texts import SVG

PICTURE = for_every_screen(svg(BarChart(title="t", value_label="s", bars=(Bar("a", 9.0, "9"),), says="s")))


def test_each_colour_of_the_picture_has_one_in_the_dark() -> None:
    style = ElementTree.fromstring(PICTURE).findtext(f"{SVG}style") or ""
    drawn = set(re.findall(r'(?:fill|stroke)="(#\w+)"', PICTURE.replace(style, "")))
    assert {INK, PAPER} <= drawn
    assert {colour for colour in drawn if f'[fill="{colour}"]{{' not in style} == set()


def test_the_paper_itself_goes_dark() -> None:
    assert f'[fill="{PAPER}"]{{fill:{DARK_PAPER}}}' in PICTURE


def test_nothing_is_asked_for_outside() -> None:
    assert "url(" not in PICTURE
    assert "@import" not in PICTURE
