"""Is one ranker better than another on the same prompts? A paired jackknife of the difference in tau-b. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from registry.order.certain_pairs import Flags, Values, certain_pairs
from training.judging.statistics.jackknife import blocks_of, interval, left_out_tau_b


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
    scores: Mapping[str, Values],
    true: Values,
    is_censored: Flags | None = None,
    groups: Sequence[str] | None = None,
    seed: int = 0,
) -> list[Comparison]:
    """Compare each two rankers by their scores of the same prompts, [prompts] each; none for a single ranker.

    The jackknife is paired: both rankers are judged without the same groups (each prompt is one unless said), so what
    makes a group easy or hard for both cancels out. Each interval stands alone; many comparisons at once will call a
    chance difference real in about one case of twenty.
    """
    if len(scores) < 2:
        return []
    is_cut = np.zeros(len(true), dtype=np.bool_) if is_censored is None else is_censored
    blocks = blocks_of(range(len(true)) if groups is None else groups, seed)
    taus = {name: float(certain_pairs(one, true, is_cut).whole().tau_b[0]) for name, one in scores.items()}
    left_out = {name: left_out_tau_b(one, true, is_cut, blocks) for name, one in scores.items()}
    comparisons = []
    for first, second in combinations(scores, 2):
        difference = taus[first] - taus[second]
        low, high = interval(difference, left_out[first] - left_out[second], 2.0)
        comparisons.append(Comparison(first, second, difference, low, high))
    return comparisons
