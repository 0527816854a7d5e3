"""What one setting takes off another one's mean seconds per token, with its interval. Pure."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.report.comparison import compare, figures_at
from benchmarks.report.summary import RATIO

WORTH_FROM = 0.05
"""A step is worth speaking of if it takes at least this share off."""


class Gain(NamedTuple):
    """A share of the mean seconds per token, below 0 where it grows."""

    share: float
    low: float
    high: float

    @property
    def is_worth_it(self) -> bool:
        """Whether it is surely a gain, and a large one."""
        return self.low > 0 and self.share >= WORTH_FROM

    @property
    def words(self) -> str:
        """How much, for a sentence: a figure only where its interval leaves 0 out."""
        if self.low <= 0 <= self.high:
            return f"nothing that can be told from chance ({_percent(self.low)} to {_percent(self.high)} %)"
        return f"{_percent(self.share)} % ({_percent(self.low)} to {_percent(self.high)} %)"


def gain(now: pd.DataFrame, then: pd.DataFrame) -> Gain:
    """From the answers to the same requests under one setting and another (95 % interval, paired by request)."""
    both = pd.concat([now.assign(policy="fcfs"), then.assign(policy="then")], ignore_index=True)
    ratio = figures_at(compare(both.assign(load=np.nan, repeat=0)), np.nan)["then"]
    return Gain(*(1 - 1 / ratio[f"{RATIO}{end}"] for end in ("", "_low", "_high")))


def _percent(share: float) -> str:
    return f"{100 * share:.0f}".replace("-0", "0")
