"""A line chart in numbers: what is drawn, not how. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

SLOTS = {"fcfs": 0, "pars": 1, "oracle": 2, "control": 3, "endpoint": 4}
"""A policy looks the same in every chart. A slot is a colour and a pattern of dashes."""
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
"""Of each slot on white; those on black stand in `templates/style.css`, and the dashes."""
NUM_SLOTS = len(COLOURS)


@dataclass(frozen=True)
class Line:
    """One line of a chart; points with a value that cannot be drawn are left out."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    slot: int
    has_dots: bool = True


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart and its words."""

    title: str
    """A claim or a question, not a list of the axes."""
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    says: str
    """What a reader would see, for those who do not: the alternative text."""
    is_log_x: bool = False
    is_log_y: bool = False


def slots(policies: Sequence[str]) -> dict[str, int]:
    """A slot for each policy: its own, or else the next that none of them has; at last those of absent policies."""
    taken = {SLOTS[policy] for policy in policies if policy in SLOTS}
    free = iter(sorted(set(range(NUM_SLOTS)) - taken, key=lambda slot: (slot in SLOTS.values(), slot)))
    return {policy: SLOTS[policy] if policy in SLOTS else next(free, NUM_SLOTS - 1) for policy in policies}
