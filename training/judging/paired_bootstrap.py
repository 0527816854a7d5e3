"""Is one ranker better than another on the same prompts? A paired bootstrap of the difference in tau-b. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from training.judging.ranking_metrics import Values, bootstrap_tau_b, kendall_tau_b


@dataclass(frozen=True)
class Comparison:
    """How much further `first` is than `second` in tau-b on the same prompts, with a 95 % interval."""

    first: str
    second: str
    difference: float
    low: float
    high: float

    @property
    def is_real(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0

    @property
    def sentence(self) -> str:
        """What the comparison says, in words."""
        interval = f"95 % interval {self.low:+.3f} to {self.high:+.3f}"
        if not self.is_real:
            return (
                f"{self.first} and {self.second} cannot be told apart on these prompts:"
                f" their tau-b differs by {self.difference:+.3f} ({interval}, which holds 0)."
            )
        better, worse = (self.first, self.second) if self.difference > 0 else (self.second, self.first)
        return (
            f"{better} is better than {worse}: the tau-b of {self.first} less that of {self.second}"
            f" is {self.difference:+.3f} ({interval}), so the difference is real."
        )


def compare_rankers(
    scores: Mapping[str, Values], true: Values, resamples: int = 1000, seed: int = 0
) -> list[Comparison]:
    """Compare each two rankers by their scores of the same prompts, [prompts] each; none for a single ranker.

    The bootstrap is paired: both rankers are judged on the same resamples of prompts, so what makes a resample easy or
    hard for both cancels out (Efron and Tibshirani, An Introduction to the Bootstrap, 1993). Each interval stands
    alone; many comparisons at once will call a chance difference real in about one case of twenty.
    """
    if len(scores) < 2:
        return []
    taus = {name: kendall_tau_b(one, true) for name, one in scores.items()}
    resampled = {name: bootstrap_tau_b(one, true, resamples, seed) for name, one in scores.items()}
    comparisons = []
    for first, second in combinations(scores, 2):
        low, high = np.quantile(resampled[first] - resampled[second], [0.025, 0.975])
        comparisons.append(Comparison(first, second, taus[first] - taus[second], float(low), float(high)))
    return comparisons
