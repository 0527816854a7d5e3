"""Axes with few, whole labels: every number as people write it, and nothing cut off."""

import math
import textwrap
from collections.abc import Iterable

import altair as alt
from altair.utils.schemapi import UndefinedType

MOST_TICKS, PADDING = 6, 6
TITLE_X = -34
LINE_LETTERS, LINE_PX = 52, 14
NUMBER = (
    "datum.value == 0 ? '0' : abs(datum.value) >= 1e6 ? format(datum.value, ',.9~s')"
    " : abs(datum.value) < 1e-5 ? format(datum.value, '.3~e') : format(datum.value, ',.12~f')"
)
"""Vega's expression: thousands are grouped, and there is an exponent only where zeros would have to be counted."""
IS_MINOR = "datum.label === ''"
"""A tick between those of a logarithmic axis that are labelled."""


def can_be_drawn(value: float, is_log: bool) -> bool:
    """Whether a value has a place on an axis."""
    return math.isfinite(value) and (value > 0 or not is_log)


def scale_of(values: Iterable[float], is_log: bool, starts_at_zero: bool = True) -> alt.Scale:
    """A scale over values that can all be drawn; equal values are given some width, and no values the width of one."""
    drawn = list(values) or [1.0]
    low, high = min(drawn), max(drawn)
    if is_log:
        return alt.Scale(type="log", nice=False, padding=PADDING, domain=_widened(low, high, low / 2))
    if starts_at_zero:
        return alt.Scale(type="linear", zero=True, domain=_widened(min(low, 0.0), max(high, 0.0), 0.0))
    return alt.Scale(type="linear", zero=False, padding=PADDING, domain=_widened(low, high, low - (abs(low) or 1) / 2))


def _widened(low: float, high: float, lower: float) -> list[float] | UndefinedType:
    """The ends of a scale where they would be equal; else Vega finds them."""
    return alt.Undefined if low < high else [lower, high + (abs(high) or 1)]


def x_axis(label: str) -> alt.Axis:
    """An axis below a chart."""
    return _axis(label)


def y_axis(label: str) -> alt.Axis:
    """An axis at the left with its title above it: nobody turns the head, and it is never longer than the axis."""
    axis = _axis(label)
    axis.titleAngle, axis.titleAlign, axis.titleBaseline = 0, "left", "bottom"
    axis.titleAnchor, axis.titleX, axis.titleY = "end", TITLE_X, -8 - LINE_PX * (len(wrapped(label)) - 1)
    return axis


def wrapped(text: str) -> list[str]:
    """A text in lines that fit the width of a chart, broken between words."""
    return textwrap.wrap(text, LINE_LETTERS) or [""]


def _axis(label: str) -> alt.Axis:
    return alt.Axis(
        title=wrapped(label),
        labelExpr=f"{IS_MINOR} ? '' : {NUMBER}",
        labelOverlap="greedy",
        labelSeparation=10,
        tickCount=MOST_TICKS,
        gridOpacity=alt.condition(IS_MINOR, alt.value(0.35), alt.value(1)),
    )
