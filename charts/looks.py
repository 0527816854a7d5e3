"""How the lines and bars of a chart are told apart: on a screen, in the dark, and printed in black and white. Pure."""

from dataclasses import dataclass

COLOURS = (
    "#5f6368",
    "#0064ad",
    "#00805b",
    "#b34700",
    "#9a2f86",
    "#7a6000",
    "#5b3fa8",
    "#96202c",
    "#1c1e21",
    "#8a5a44",
)
"""On white: each has a contrast of 4.5 and more."""
DARK_COLOURS = (
    "#b4b9c0",
    "#63b8f5",
    "#3ecf9a",
    "#ff9a55",
    "#ec8fd8",
    "#e3c53b",
    "#b7a1ff",
    "#ff8c96",
    "#e8eaed",
    "#d9a98f",
)
"""The same ones on black."""
DASHES = ((6, 4), (1, 0), (2, 3), (9, 3, 2, 3), (12, 4), (4, 2), (9, 3, 2, 3, 2, 3), (1, 4), (14, 3, 3, 3))
MARKERS = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")

INK, QUIET, RULE, PAPER = "#1c1e21", "#595f69", "#d9dce1", "#ffffff"
"""Of titles, of labels, of grids, and of what is behind them."""
DARK_INK, DARK_QUIET, DARK_RULE, DARK_PAPER = "#e8eaed", "#a9afb8", "#3b4048", "#16181c"
DARK_OF = {**dict(zip(COLOURS, DARK_COLOURS, strict=True)), INK: DARK_INK, QUIET: DARK_QUIET, RULE: DARK_RULE}
"""What a page replaces each colour by in the dark."""


@dataclass(frozen=True)
class Look:
    """A colour, a pattern of dashes and a marker: no two of the first 90 slots share the first two."""

    colour: str
    dashes: tuple[int, ...]
    marker: str


def look(slot: int) -> Look:
    """The look of a slot; there are as many slots as one likes."""
    return Look(COLOURS[slot % len(COLOURS)], DASHES[slot % len(DASHES)], MARKERS[slot % len(MARKERS)])
