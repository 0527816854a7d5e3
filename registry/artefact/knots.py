"""Straight lines through knots. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from math import isfinite

import numpy as np


def interpolated(at: float, knots: Sequence[float], values: Sequence[float]) -> float:
    """The straight line through neighbouring knots, flat beyond the first and the last.

    As `numpy.interp` has it, to the last bit, which would make arrays of all knots for each request: as long as the
    instant network takes.
    """
    above = bisect_right(knots, at)
    if above in (0, len(knots)):
        return values[min(above, len(knots) - 1)]
    below = above - 1
    slope = (values[above] - values[below]) / (knots[above] - knots[below])
    return slope * (at - knots[below]) + values[below]


def is_increasing(values: tuple[float, ...]) -> bool:
    """Whether all are finite, and each is above the one before."""
    return all(isfinite(value) for value in values) and bool((np.diff(values) > 0).all())
