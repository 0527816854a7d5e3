"""How well predicted lengths order the true ones. Pure; every function takes (predicted, true) in any unit.

Of censored prompts (their true length is only known to be at least the recorded one) pair accuracy counts only the
pairs whose order is certain: the shorter answer ended by itself. Tau-b takes the recorded lengths as they are: where
one cap cut all answers that were cut, they are the longest, so the recorded order is the true one but for ties among
them. A ranker that tells such prompts apart cannot reach 1: many cut answers lower every tau.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau, rankdata

from training.judging.static_gain import resampled_static_gains, static_gains

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

KENDALL_TAU_B = "kendall_tau_b"
"""Name of the metric."""
MAX_PROMPTS_OF_BINS = 2000
"""Two million pairs show enough of how accuracy depends on the ratio; more would only cost time and memory."""


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
    return np.array([kendall_tau_b(predicted[draw], true[draw]) for draw in draws(len(true), resamples, seed)])


def draws(prompts: int, resamples: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """The indices of the prompts of each resample: as many as there are, drawn with replacement."""
    rng = np.random.default_rng(seed)
    return (rng.integers(0, prompts, prompts) for _ in range(resamples))


def pair_accuracy(predicted: Values, true: Values, is_censored: Flags | None = None) -> float:
    """Share of the pairs of different true length that are ordered right; a predicted tie is half right.

    This is Harrell's C (Harrell et al., JAMA 247, 1982), but that a cut and an ended answer of the same recorded length
    are no pair. nan where there is no pair. Takes n log n steps, those of Kendall's tau.
    """
    _check(predicted, true)
    is_cut = np.zeros(len(true), dtype=np.bool_) if is_censored is None else is_censored
    # Whole numbers in the same order; a cut answer comes right before those that ended at the same length.
    places = 2.0 * rankdata(true, "dense") - is_cut
    longer = len(true) - np.searchsorted(np.sort(places), places[~is_cut], side="right")
    if not longer.sum():
        return float("nan")
    # Once with the pairs whose shorter answer was cut, once with the same pairs the other way round: they cancel out.
    cut_last = np.where(is_cut, places.max() + 1, places)
    surplus = (
        _surplus(predicted, places) + _surplus(predicted, cut_last) - _surplus(predicted[is_cut], places[is_cut])
    ) / 2
    return float((1 + surplus / longer.sum()) / 2)


def pair_accuracy_by_length_ratio(
    predicted: Values, true: Values, edges: tuple[float, ...], is_censored: Flags | None = None
) -> list[float]:
    """`pair_accuracy` of the pairs whose longer ÷ shorter true length lies in each bin; nan for an empty bin.

    The edges are the bounds of neighbouring bins, the lower one included. True lengths must be above 0. Of many prompts
    only the first are paired.
    """
    _check(predicted, true)
    predicted, true = predicted[:MAX_PROMPTS_OF_BINS], true[:MAX_PROMPTS_OF_BINS]
    has_ended = np.ones(len(true), dtype=np.bool_) if is_censored is None else ~is_censored[: len(true)]
    shorter, longer = np.nonzero((true[:, None] < true[None, :]) & has_ended[:, None])
    bins = np.digitize(true[longer] / true[shorter], edges)
    rightness = (np.sign(predicted[longer] - predicted[shorter]) + 1) / 2
    right, pairs = (np.bincount(bins, weights, len(edges) + 1) for weights in (rightness, None))
    with np.errstate(invalid="ignore"):
        return [float(share) for share in (right / pairs)[1:-1]]


def order_metrics(predicted: Values, true: Values, is_censored: Flags | None = None) -> dict[str, float]:
    """Tau-b and both static gains by their names, without intervals."""
    return {KENDALL_TAU_B: kendall_tau_b(predicted, true)} | static_gains(predicted, true, is_censored)


def ranking_metrics(
    predicted: Values, true: Values, seed: int = 0, is_censored: Flags | None = None
) -> dict[str, float]:
    """The metrics of a ranker on test prompts, by the names that MLflow and the card know.

    `_low` and `_high` are the bounds of a 95 % interval.
    """
    low, high = kendall_tau_b_interval(predicted, true, seed=seed)
    return {
        "kendall_tau_b": kendall_tau_b(predicted, true),
        "kendall_tau_b_low": low,
        "kendall_tau_b_high": high,
        "pair_accuracy": pair_accuracy(predicted, true, is_censored),
        **static_gain_metrics(predicted, true, is_censored, seed),
        "test_prompts": float(len(true)),
    }


def static_gain_metrics(
    predicted: Values, true: Values, is_censored: Flags | None, seed: int = 0, resamples: int = 1000
) -> dict[str, float]:
    """Both static gains with their 95 % percentile intervals, over the same resamples as tau's."""
    gains = resampled_static_gains(predicted, true, is_censored, draws(len(true), resamples, seed))
    bounds = {name: np.quantile(one, [0.025, 0.975]) for name, one in gains.items()}
    return static_gains(predicted, true, is_censored) | {
        f"{name}{suffix}": float(bound)
        for name, both in bounds.items()
        for suffix, bound in zip(("_low", "_high"), both, strict=True)
    }


def _surplus(predicted: Values, true: Values) -> float:
    """Pairs in the same order on both sides less those in the opposite one: a whole number, the numerator of tau."""
    classes = min(len(np.unique(predicted)), len(np.unique(true)))
    if classes < 2:
        return 0.0
    tau_c = kendalltau(predicted, true, variant="c").statistic
    return float(np.round(tau_c * len(true) ** 2 * (classes - 1) / classes / 2))


def _check(predicted: Values, true: Values) -> None:
    if len(predicted) != len(true) or len(true) < 2:
        raise ValueError(
            f"a ranking needs as many predictions as lengths, at least 2, but got {len(predicted)} and {len(true)}."
        )
    if not (np.isfinite(predicted).all() and np.isfinite(true).all()):
        raise ValueError("predictions and lengths must be finite, but some are not; look at the score of each prompt.")
