"""Answers whose predictions agree with their lengths as much as a test wants, with a reference that says so."""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau, norm

from registry.artefact.length_distribution import LengthDistribution
from registry.order.static_gain import STATIC_GAIN_S_PER_TOKEN, static_gains
from serving.drift.target_drift import TargetDrift
from serving.drift.watched_answer import Reference, WatchedAnswer

Values = npt.NDArray[np.float64]
Lengths = Callable[[Values], Values]
"""From shares of all answers, 0 to 1, to tokens."""


def log_normal(shares: Values, spread: float) -> Values:
    """Chats: 90 tokens in the middle."""
    return np.asarray(np.exp(4.5 + spread * norm.ppf(shares)))


def mostly_labels(shares: Values) -> Values:
    """Half of them have one to five tokens, so that many are equal; the others are chats."""
    chats = log_normal(np.clip(2 * shares - 1, 1e-6, 1 - 1e-6), 0.9)
    return np.where(shares < 0.5, 1 + np.floor(10 * shares), 6 + chats)


LENGTHS: dict[str, Lengths] = {
    "chats, spread 0.6": partial(log_normal, spread=0.6),
    "chats, spread 0.9": partial(log_normal, spread=0.9),
    "chats, spread 1.3": partial(log_normal, spread=1.3),
    "half of them labels": mostly_labels,
}


def planted(tau: float, count: int, rng: np.random.Generator, lengths: Lengths) -> tuple[Values, Values]:
    """Predictions and lengths in whole tokens that are as correlated as a Gaussian copula with this tau."""
    correlation = np.sin(np.pi * tau / 2)
    known, unknown = rng.standard_normal((2, count))
    true = correlation * known + np.sqrt(1 - correlation**2) * unknown
    predicted = lengths(norm.cdf(correlation * known))
    return predicted, np.maximum(np.round(lengths(norm.cdf(true))), 1)


def reference(tau: float, lengths: Lengths = LENGTHS["chats, spread 0.9"]) -> Reference:
    """What a card says of a ranker that was tested on very many such answers."""
    predicted, true = planted(tau, 20_000, np.random.default_rng(99), lengths)
    metrics = {"kendall_tau_b": measured_tau(predicted, true)} | static_gains(predicted, true)
    assert STATIC_GAIN_S_PER_TOKEN in metrics
    return Reference(metrics, LengthDistribution.of(predicted))


def measured_tau(predicted: Values, true: Values) -> float:
    """Of very many answers."""
    return float(kendalltau(predicted, true).statistic)


def answers(predicted: Values, true: Values) -> list[WatchedAnswer]:
    """The same as a server hears of them."""
    pairs = zip(predicted.tolist(), true.tolist(), strict=True)
    return [WatchedAnswer(one, other, False, at_s=float(place)) for place, (one, other) in enumerate(pairs)]


def first_alarm(drift: TargetDrift, heard: list[WatchedAnswer]) -> int | None:
    """How many of the answers it takes to an alarm; None if there is none."""
    before = drift.num_answers
    for answer in heard:
        block = drift.add(answer)
        if block is not None and block.raised:
            return block.end - before
    return None
