"""How much better one ranker is than another on the same requests, session by session. Pure.

A paired jackknife that leaves out whole sessions (`training/judging/statistics/jackknife.py`): both rankers are judged
without the same ones, so that what makes a session easy or hard for both cancels out. It holds where there are few
sessions, where a bootstrap over them is too sure of itself, and draws no copies, which tau-b would count as ties.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from loop.fresh.fresh_requests import FreshRequests, Values
from registry.order.certain_pairs import certain_pairs
from registry.order.static_gain import STATIC_GAINS, resampled_static_gains
from registry.promotion import Difference
from training.judging.statistics.jackknife import blocks_of, interval, left_out_tau_b

MOST_TAU = 2.0
"""No two tau-b are farther apart."""


def tau_difference(
    challenger: Values, champion: Values, requests: FreshRequests, level: float, seed: int = 0
) -> Difference:
    """Of tau-b; `level` is that of the two-sided interval."""
    true, is_cut, blocks = requests.output_tokens, requests.is_censored, blocks_of(requests.groups, seed)
    tau, other = (float(certain_pairs(one, true, is_cut).whole().tau_b[0]) for one in (challenger, champion))
    left_out = partial(left_out_tau_b, true=true, is_censored=is_cut, blocks=blocks)
    ends = interval(tau - other, left_out(challenger) - left_out(champion), MOST_TAU, level)
    return Difference(tau - other, *ends)


def gain_differences(
    challenger: Values, champion: Values, requests: FreshRequests, level: float, seed: int = 0
) -> dict[str, Difference]:
    """Of both static gains, by their names."""
    true, is_cut, blocks = requests.output_tokens, requests.is_censored, blocks_of(requests.groups, seed)
    draws = [np.arange(len(true)), *(np.flatnonzero(blocks != block) for block in range(blocks.max() + 1))]
    gains, others = (resampled_static_gains(one, true, is_cut, draws) for one in (challenger, champion))
    found = {}
    for name in STATIC_GAINS:
        whole, *left_out = gains[name] - others[name]
        found[name] = Difference(whole, *interval(whole, np.array(left_out), np.inf, level))
    return found


def mean_difference(values: Values, groups: Sequence[str], level: float, seed: int = 0) -> Difference:
    """Of what each request says, [requests]: their mean."""
    blocks = blocks_of(groups, seed)
    sums, counts = np.bincount(blocks, values), np.bincount(blocks)
    mean = float(values.mean())
    rest = np.maximum(len(values) - counts, 1)
    return Difference(mean, *interval(mean, (values.sum() - sums) / rest, np.inf, level))
