"""Intervals by a jackknife that leaves out whole groups of prompts. Pure.

Prompts of one task or template share what makes them easy or hard, so it is the groups that are a sample. Each group is
left out in turn; how much the statistic moves gives its variance, and Student's t with as many degrees of freedom as
groups less one gives the interval. That holds with few groups, where a percentile bootstrap is too sure (MacKinnon,
Nielsen and Webb, Fast and reliable jackknife and bootstrap methods for cluster-robust inference, Journal of Applied
Econometrics 38, 2023: CV3). Of more groups than `MOST_BLOCKS` some, drawn by a seed, are left out together (Kott, The
delete-a-group jackknife, Journal of Official Statistics 17, 2001). No copy of a prompt ever stands beside it.
"""

from collections.abc import Hashable, Sequence

import numpy as np
from scipy.stats import t

from registry.order.certain_pairs import Flags, PairCounts, Places, Values, certain_pairs

MOST_BLOCKS = 1000
"""More would make no interval more certain."""
LEVEL = 0.95


def blocks_of(groups: Sequence[Hashable], seed: int = 0) -> Places:
    """The block of each prompt, whole numbers from 0 on: those of a group share one, which is left out together."""
    distinct = list(dict.fromkeys(groups))
    blocks = np.arange(len(distinct))
    if len(distinct) > MOST_BLOCKS:
        blocks = np.random.default_rng(seed).permutation(len(distinct)) % MOST_BLOCKS
    block_of = dict(zip(distinct, blocks.tolist(), strict=True))
    return np.array([block_of[group] for group in groups], dtype=np.int64)


def left_out_tau_b(predicted: Values, true: Values, is_censored: Flags, blocks: Places) -> Values:
    """Tau-b without each block, [blocks]."""
    pairs = certain_pairs(predicted, true, is_censored)
    inside = certain_pairs(predicted, true, is_censored, blocks).of_groups(blocks)
    # Half of the pairs of a block's prompts are those inside of it and half of those with others: all of both go.
    whole, of_block = pairs.whole(), pairs.of_groups(blocks)
    counts = zip(whole, of_block, inside, strict=True)
    return PairCounts(*(all_ - 2 * half + within for all_, half, within in counts)).tau_b


def interval(value: float, left_out: Values, bound: float, level: float = LEVEL) -> tuple[float, float]:
    """The interval of a statistic from its values without each block; it cannot leave -`bound` to `bound`."""
    reach = _reach(value, left_out, level)
    return max(-bound, value - reach), min(bound, value + reach)


def tau_interval(tau: float, left_out: Values) -> tuple[float, float]:
    """That of a tau is symmetric on Fisher's scale, the inverse hyperbolic tangent, so it cannot leave -1 to 1."""
    reach = _reach(tau, left_out)
    if reach == 0 or reach == np.inf or abs(tau) == 1:
        return max(-1.0, tau - reach), min(1.0, tau + reach)
    centre, reach = np.arctanh(tau), reach / (1 - tau**2)
    return float(np.tanh(centre - reach)), float(np.tanh(centre + reach))


def _reach(value: float, left_out: Values, level: float = LEVEL) -> float:
    """How far the interval reaches to both sides; without end if there are fewer than two blocks."""
    blocks = len(left_out)
    if blocks < 2:
        return np.inf
    variance = (blocks - 1) / blocks * float(((left_out - value) ** 2).sum())
    return float(t.ppf((1 + level) / 2, blocks - 1) * np.sqrt(variance))
