"""What some answers say of the predictions before them. Pure.

Of answers that were cut or left only what is certain counts: pairs in which the other answer ended and is no longer
(`registry/order/certain_pairs.py`), and for the calibration that they are at least so long (a Tobit mean).
"""

from collections.abc import Sequence
from math import exp, sqrt
from typing import NamedTuple

import numpy as np

from registry.artefact.length_distribution import LengthDistribution
from registry.order.certain_pairs import Flags, Values, certain_pairs
from registry.order.static_gain import STATIC_GAIN_S_PER_TOKEN, static_gains
from serving.correction.censored_mean import FadingSum, shrunken_mean
from serving.drift.watched_answer import Watched, WatchedAnswer

BINS = 10
NEARLY_NO_WEIGHT = 1e-6
"""Of the prior of a mean that is not to be shrunk."""


class Figures(NamedTuple):
    """Of some answers, all of one target LLM and placed by one ranker."""

    kendall_tau_b: float
    static_gain: float
    """In seconds per token: 1 orders as the oracle, 0 as chance."""
    calibration: float
    """How many times longer than predicted they are, in the mean of the logarithms."""
    calibration_error: float
    """Standard error of that mean."""
    worth: float
    """So many answers that all ended make as many pairs of certain order."""

    def of(self, watched: Watched) -> float:
        """The figure of this name."""
        value: float = getattr(self, watched)
        return value


def figures_of(answers: Sequence[WatchedAnswer]) -> Figures:
    """The figures of one answer or more, of the predictions as the ranker made them."""
    predicted = np.array([one.predicted_tokens for one in answers])
    true, is_censored = _lengths(answers)
    pairs = certain_pairs(predicted, true, is_censored).whole()
    gain = static_gains(predicted, true, is_censored)[STATIC_GAIN_S_PER_TOKEN]
    worth = (1 + sqrt(1 + 8 * float(pairs.untied_true[0]))) / 2
    log_ratios = np.log(true) - np.log(np.maximum(predicted, 1.0))
    calibration = exp(_mean(log_ratios[~is_censored], log_ratios[is_censored]))
    error = float(log_ratios.std()) / sqrt(len(answers))
    return Figures(float(pairs.tau_b[0]), gain, calibration, error, worth)


def placed_tau_b(answers: Sequence[WatchedAnswer]) -> float:
    """Tau-b of the predictions that placed the answers, which are corrected."""
    predicted = np.array([one.predicted_tokens * one.correction for one in answers])
    return float(certain_pairs(predicted, *_lengths(answers)).whole().tau_b[0])


def _lengths(answers: Sequence[WatchedAnswer]) -> tuple[Values, Flags]:
    true = np.array([one.output_tokens for one in answers], dtype=np.float64)
    return true, np.array([one.is_censored for one in answers], dtype=np.bool_)


def _mean(known: Values, bounds: Values) -> float:
    seen = FadingSum(float(len(known)), float(known.sum()))
    return shrunken_mean(seen, bounds.tolist(), [1.0] * len(bounds), 0.0, NEARLY_NO_WEIGHT)


def stability_index(answers: Sequence[WatchedAnswer], distribution: LengthDistribution) -> float:
    """The population stability index of the places that predictions have by their length, in ten bins; 0 is uniform.

    `distribution` is the card's, of the predictions for the validation prompts: where requests are still of the same
    kinds, places by it are uniform. Limits of tokens, corrections, prompts and other target LLMs in the same engine
    move the places of the queue, and say nothing of the requests: so these are places by the ranker alone. Below 0.1
    is called stable and above 0.25 another population (Siddiqi, Credit risk scorecards, 2006). Each bin counts half an
    answer more, so that an empty one does not make it infinite: 500 answers of the same kinds make 0.02.
    """
    places = distribution.quantiles(np.array([max(one.predicted_tokens, 1e-9) for one in answers]))
    counts = np.histogram(places, BINS, (0.0, 1.0))[0] + 0.5
    shares = counts / counts.sum()
    return float(((shares - 1 / BINS) * np.log(shares * BINS)).sum())
