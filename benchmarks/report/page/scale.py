"""From values to places on an axis, and where its ticks stand. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

MOST_TICKS = 6
MOST_STEPS = MOST_TICKS - 1


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high` between two places in pixels."""

    low: float
    high: float
    start_px: float
    end_px: float
    is_log: bool

    def __call__(self, value: float) -> float:
        """The place of a value, in pixels."""
        low, high, at = (log10(one) if self.is_log else one for one in (self.low, self.high, value))
        return self.start_px + (self.end_px - self.start_px) * (at - low) / (high - low)

    @property
    def ticks(self) -> list[float]:
        """Round values within the axis, a handful."""
        return _log_ticks(self.low, self.high) if self.is_log else _linear_ticks(self.low, self.high)

    def holds(self, value: float) -> bool:
        """Whether a value can be drawn at all."""
        return isfinite(value) and (value > 0 or not self.is_log)


def scale_over(values: Iterable[float], start_px: float, end_px: float, is_log: bool) -> Scale:
    """A scale that holds all values that can be drawn; a linear one starts at 0."""
    drawn = [value for value in values if isfinite(value) and (value > 0 or not is_log)] or [1.0]
    low, high = (min(drawn) if is_log else min(0.0, *drawn)), max(drawn)
    if not low < high:
        low, high = (low / 2, low * 2) if is_log else (low, low + 1.0)
    return Scale(low, high, start_px, end_px, is_log)


def _linear_ticks(low: float, high: float) -> list[float]:
    step = 10.0 ** floor(log10((high - low) / MOST_STEPS))
    step *= next(factor for factor in (1, 2, 5, 10, 20) if (high - low) / (step * factor) <= MOST_STEPS)
    return [round(step * place, 12) for place in range(ceil(low / step), floor(high / step + 1e-9) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [factor * 10.0**decade for decade in decades for factor in factors]
        within = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
        if len(within) <= MOST_TICKS:
            break
    return within[:: ceil(len(within) / MOST_TICKS) or 1] or [low, high]
