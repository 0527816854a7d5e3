"""Where the texts of an SVG lie, as a browser would place them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
LETTER = 0.58
"""Mean width of a letter ÷ size of the font, in a font that is wider than that of the layout (DejaVu Sans)."""


@dataclass(frozen=True)
class Text:
    """A text and its box."""

    words: str
    left: float
    right: float
    top: float
    bottom: float

    def overlaps(self, other: "Text") -> bool:
        across = min(self.right, other.right) - max(self.left, other.left)
        return across > 0 and min(self.bottom, other.bottom) - max(self.top, other.top) > 2


def size(svg: str) -> tuple[float, float]:
    """Width and height of the picture."""
    _, _, width, height = ElementTree.fromstring(svg).attrib["viewBox"].split()
    return float(width), float(height)


def texts(svg: str) -> list[Text]:
    """All texts that are no title or description."""
    return list(_texts(ElementTree.fromstring(svg), 0.0, 0.0))


def _texts(element: ElementTree.Element, x: float, y: float) -> Iterator[Text]:
    moved = re.match(r"translate\(([-\d.]+),([-\d.]+)\)", element.get("transform", ""))
    if moved:
        x, y = x + float(moved[1]), y + float(moved[2])
    if element.tag == f"{SVG}text" and (words := "".join(element.itertext())).strip():
        yield _placed(element, words, x, y)
    for child in element:
        yield from _texts(child, x, y)


def _placed(element: ElementTree.Element, words: str, x: float, y: float) -> Text:
    height = float(element.attrib["font-size"].removesuffix("px"))
    lines = [line for line in element if line.tag == f"{SVG}tspan"]
    width = max(len("".join(line.itertext())) for line in (lines or [element])) * LETTER * height
    left = x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[element.get("text-anchor", "start")]
    return Text(words, left, left + width, y - height, y + 1.2 * height * max(len(lines) - 1, 0))
