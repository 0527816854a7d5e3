"""A mean of log ratios that fades, of which some are only known to be at least so large. Pure.

The observations are taken to be normal with a known spread: the mean is then that of a Tobit model (Tobin 1958), found
by Newton's method, and shrunk as an empirical Bayes estimate is, towards what is known of the others (Efron and
Morris 1975). In a burst short answers finish first, so that a mean of the finished ones alone would be too low.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, exp, pi, sqrt

SPREAD = 0.7
"""Standard deviation of log(true ÷ predicted) within one origin: a ranker's error, and a sampled answer's noise."""
STEPS = 6
"""Of Newton's method at most; the function is smooth and monotone."""
CLOSE = 0.01
"""A last step that moves no place by what a place would show."""
MOST = 3.0
"""No mean is looked for beyond it: e³ times as long as predicted."""
FAR = 6.0
"""Spreads above the mean from which on a normal tail is written as its limit."""


@dataclass
class FadingSum:
    """Observations with their weights; those of before can be made to count for less."""

    weight: float = 0.0
    total: float = 0.0

    def fade(self, keep: float) -> None:
        """Keep this share of the weight of all so far."""
        self.weight *= keep
        self.total *= keep

    def add(self, value: float, weight: float = 1.0) -> None:
        """Take one more."""
        self.weight += weight
        self.total += weight * value


def expected_above(bound: float, mean: float, spread: float = SPREAD) -> float:
    """What a normal value that is known to be above a bound is expected to be."""
    return mean + spread * _hazard((bound - mean) / spread)


def shrunken_mean(
    seen: FadingSum,
    bounds: Sequence[float],
    weights: Sequence[float],
    prior: float,
    prior_weight: float,
    spread: float = SPREAD,
) -> float:
    """The mean of what was seen and of values that lie above `bounds`, shrunk towards a prior of so many observations.

    `bounds` are those of answers that still run, each with its weight.
    """
    weight, total = seen.weight + prior_weight, seen.total + prior_weight * prior
    mean = total / weight
    for _ in range(STEPS if bounds else 0):
        hazards = [((bound - mean) / spread, _hazard((bound - mean) / spread)) for bound in bounds]
        excess = spread * sum(part * hazard for part, (_, hazard) in zip(weights, hazards, strict=True))
        slope = sum(part * hazard * (hazard - z) for part, (z, hazard) in zip(weights, hazards, strict=True))
        step = (total - weight * mean + excess) / (weight + slope)
        mean = min(max(mean + step, -MOST), MOST)
        if abs(step) < CLOSE:
            break
    return mean


def _hazard(z: float) -> float:
    """The density of a standard normal value ÷ the chance that it is larger; how far beyond z it then lies, in fact."""
    return z + 1 / z if z > FAR else exp(-z * z / 2) / sqrt(2 * pi) * 2 / erfc(z / sqrt(2))
