"""How the lines and bars of a chart are told apart. A slot is a colour and a pattern of dashes. Pure."""

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
"""Of each slot on white; those on black stand in the page's `style.css`, and the dashes."""
NUM_SLOTS = len(COLOURS)
