"""How well predicted lengths order the true ones. Pure; every function takes (predicted, true) in any unit.

Of censored prompts (their true length is only known to be at least the recorded one) only the pairs of certain order
count, in every metric: see `registry/order/certain_pairs.py`.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import kendalltau

from registry.order.certain_pairs import Flags, PairCounts, Values, certain_pairs
from registry.order.static_gain import resampled_static_gains, static_gains
from training.judging.statistics.jackknife import blocks_of, interval, left_out_tau_b, tau_interval

KENDALL_TAU_B = "kendall_tau_b"
"""Name of the metric."""
MAX_PROMPTS_OF_BINS = 2000
"""Two million pairs show enough of how accuracy depends on the ratio; more would only cost time and memory."""


def kendall_tau_b(predicted: Values, true: Values, is_censored: Flags | None = None) -> float:
    """Kendall's tau-b over the pairs of certain order, -1 to 1; 0 if either side is constant."""
    _check(predicted, true)
    if is_censored is not None and is_censored.any():
        return float(_pairs(predicted, true, is_censored).tau_b[0])
    tau = float(kendalltau(predicted, true, variant="b").statistic)
    return 0.0 if np.isnan(tau) else tau


def kendall_tau_b_interval(
    predicted: Values,
    true: Values,
    is_censored: Flags | None = None,
    groups: Sequence[str] | None = None,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % interval of tau-b over groups of prompts, each prompt a group unless said (`statistics/jackknife.py`)."""
    _check(predicted, true)
    blocks = blocks_of(range(len(true)) if groups is None else groups, seed)
    left_out = left_out_tau_b(predicted, true, _flags(true, is_censored), blocks)
    return tau_interval(kendall_tau_b(predicted, true, is_censored), left_out)


def pair_accuracy(predicted: Values, true: Values, is_censored: Flags | None = None) -> float:
    """Share of the pairs of certain order and different true length in that order; a predicted tie is half right.

    This is Harrell's C (Harrell et al., JAMA 247, 1982); nan where there is no pair.
    """
    _check(predicted, true)
    return float(_pairs(predicted, true, is_censored).accuracy[0])


def pair_accuracy_by_length_ratio(
    predicted: Values, true: Values, edges: tuple[float, ...], is_censored: Flags | None = None
) -> list[float]:
    """`pair_accuracy` of the pairs whose longer ÷ shorter true length lies in each bin; nan for an empty bin.

    The edges are the bounds of neighbouring bins, the lower one included. True lengths must be above 0. Of many prompts
    only the first are paired.
    """
    _check(predicted, true)
    predicted, true = predicted[:MAX_PROMPTS_OF_BINS], true[:MAX_PROMPTS_OF_BINS]
    is_cut = _flags(true, None if is_censored is None else is_censored[: len(true)])
    is_longer = (true[None, :] > true[:, None]) | ((true[None, :] == true[:, None]) & is_cut[None, :])
    shorter, longer = np.nonzero(is_longer & ~is_cut[:, None])
    bins = np.digitize(true[longer] / true[shorter], edges)
    rightness = (np.sign(predicted[longer] - predicted[shorter]) + 1) / 2
    right, pairs = (np.bincount(bins, weights, len(edges) + 1) for weights in (rightness, None))
    with np.errstate(invalid="ignore"):
        return [float(share) for share in (right / pairs)[1:-1]]


def order_metrics(predicted: Values, true: Values, is_censored: Flags | None = None) -> dict[str, float]:
    """Tau-b and both static gains by their names, without intervals."""
    tau = kendall_tau_b(predicted, true, is_censored)
    return {KENDALL_TAU_B: tau} | static_gains(predicted, true, is_censored)


def ranking_metrics(
    predicted: Values,
    true: Values,
    is_censored: Flags | None = None,
    groups: Sequence[str] | None = None,
    seed: int = 0,
) -> dict[str, float]:
    """The metrics of a ranker on test prompts, by the names that MLflow and the card know.

    `_low` and `_high` are the bounds of a 95 % interval over groups of prompts, each prompt a group unless said.
    """
    low, high = kendall_tau_b_interval(predicted, true, is_censored, groups, seed)
    return {
        "kendall_tau_b": kendall_tau_b(predicted, true, is_censored),
        "kendall_tau_b_low": low,
        "kendall_tau_b_high": high,
        "pair_accuracy": pair_accuracy(predicted, true, is_censored),
        **static_gain_metrics(predicted, true, is_censored, groups, seed),
        "test_prompts": float(len(true)),
        "test_groups": float(len(true) if groups is None else len(set(groups))),
    }


def static_gain_metrics(
    predicted: Values,
    true: Values,
    is_censored: Flags | None = None,
    groups: Sequence[str] | None = None,
    seed: int = 0,
) -> dict[str, float]:
    """Both static gains with their 95 % intervals, without the same groups in turn as tau's."""
    blocks = blocks_of(range(len(true)) if groups is None else groups, seed)
    without = (np.flatnonzero(blocks != block) for block in range(blocks.max() + 1))
    left_out = resampled_static_gains(predicted, true, is_censored, without)
    metrics = static_gains(predicted, true, is_censored)
    for name, value in list(metrics.items()):
        metrics[f"{name}_low"], metrics[f"{name}_high"] = interval(value, left_out[name], 1.0)
    return metrics


def _pairs(predicted: Values, true: Values, is_censored: Flags | None) -> PairCounts:
    return certain_pairs(predicted, true, _flags(true, is_censored)).whole()


def _flags(true: Values, is_censored: Flags | None) -> Flags:
    return np.zeros(len(true), dtype=np.bool_) if is_censored is None else is_censored


def _check(predicted: Values, true: Values) -> None:
    if len(predicted) != len(true) or len(true) < 2:
        raise ValueError(
            f"a ranking needs as many predictions as lengths, at least 2, but got {len(predicted)} and {len(true)}."
        )
    if not (np.isfinite(predicted).all() and np.isfinite(true).all()):
        raise ValueError("predictions and lengths must be finite, but some are not; look at the score of each prompt.")
