"""How well predicted lengths order the true ones. Pure; every function takes (predicted, true) in any unit.

Of censored prompts (their true length is only known to be at least the recorded one) pair accuracy counts only the
pairs whose order is certain: the shorter answer ended by itself. Tau-b takes the recorded lengths as they are: where
one cap cut all answers that were cut, they are the longest, so the recorded order is the true one but for ties among
them. A ranker that tells such prompts apart cannot reach 1: many cut answers lower every tau.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

PAIRS_IN_A_BLOCK = 4_000_000
"""Pairs compared at a time; more would only cost memory."""


def kendall_tau_b(predicted: Values, true: Values) -> float:
    """Kendall's tau-b, -1 to 1; 0 if either side is constant, since it then orders nothing."""
    _check(predicted, true)
    tau = float(kendalltau(predicted, true, variant="b").statistic)
    return 0.0 if np.isnan(tau) else tau


def kendall_tau_b_interval(
    predicted: Values, true: Values, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of tau-b over prompts."""
    taus = bootstrap_tau_b(predicted, true, resamples, seed)
    low, high = np.quantile(taus, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bootstrap_tau_b(predicted: Values, true: Values, resamples: int = 1000, seed: int = 0) -> Values:
    """Tau-b of each resample of the prompts, float64 [resamples].

    The same seed and number of prompts give the same resamples, so two rankers are judged on the same ones.
    A prompt drawn twice ties with itself on both sides, which tau-b leaves out.
    """
    _check(predicted, true)
    rng = np.random.default_rng(seed)
    draws = (rng.integers(0, len(true), len(true)) for _ in range(resamples))
    return np.array([kendall_tau_b(predicted[draw], true[draw]) for draw in draws])


def pair_accuracy(predicted: Values, true: Values, is_censored: Flags | None = None) -> float:
    """Share of the pairs of different true length that are ordered right; a predicted tie is half right."""
    return pair_accuracy_by_length_ratio(predicted, true, (1.0, np.inf), is_censored)[0]


def pair_accuracy_by_length_ratio(
    predicted: Values, true: Values, edges: tuple[float, ...], is_censored: Flags | None = None
) -> list[float]:
    """`pair_accuracy` of the pairs whose longer ÷ shorter true length lies in each bin; nan for an empty bin.

    The edges are the bounds of neighbouring bins, the lower one included. True lengths must be above 0.
    """
    _check(predicted, true)
    right, pairs = np.zeros(len(edges) + 1), np.zeros(len(edges) + 1)  # below, between and above the edges
    has_ended = np.ones(len(true), dtype=np.bool_) if is_censored is None else ~is_censored
    for length_ratio, rightness in _pairs(predicted, true, has_ended):
        bins = np.digitize(length_ratio, edges)
        right += np.bincount(bins, rightness, len(right))
        pairs += np.bincount(bins, minlength=len(pairs))
    with np.errstate(invalid="ignore"):
        return [float(share) for share in (right / pairs)[1:-1]]


def ranking_metrics(
    predicted: Values, true: Values, seed: int = 0, is_censored: Flags | None = None
) -> dict[str, float]:
    """The metrics of a ranker on test prompts, by the names that MLflow and the card know."""
    low, high = kendall_tau_b_interval(predicted, true, seed=seed)
    return {
        "kendall_tau_b": kendall_tau_b(predicted, true),
        "kendall_tau_b_low": low,
        "kendall_tau_b_high": high,
        "pair_accuracy": pair_accuracy(predicted, true, is_censored),
        "test_prompts": float(len(true)),
    }


def _pairs(predicted: Values, true: Values, has_ended: Flags) -> Iterator[tuple[Values, Values]]:
    """Length ratio and rightness (0, 0.5 or 1) of each pair of certainly different true length, block by block."""
    order = np.argsort(true, kind="stable")
    shorter_first, scores, can_be_shorter = true[order], predicted[order], has_ended[order]
    rows = max(1, PAIRS_IN_A_BLOCK // len(true))
    for start in range(0, len(true), rows):
        lengths, block = shorter_first[start : start + rows, None], scores[start : start + rows, None]
        is_pair = (shorter_first[None, :] > lengths) & can_be_shorter[start : start + rows, None]
        rightness = (np.sign(scores[None, :] - block) + 1) / 2
        yield (shorter_first[None, :] / lengths)[is_pair], rightness[is_pair]


def _check(predicted: Values, true: Values) -> None:
    if len(predicted) != len(true) or len(true) < 2:
        raise ValueError(
            f"a ranking needs as many predictions as lengths, at least 2, but got {len(predicted)} and {len(true)}."
        )
    if not (np.isfinite(predicted).all() and np.isfinite(true).all()):
        raise ValueError("predictions and lengths must be finite, but some are not; look at the score of each prompt.")
