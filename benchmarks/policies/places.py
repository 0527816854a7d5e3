"""Places in a queue, 0 to 1: of the true lengths, of these with noise or dealt out at random. Pure."""

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from registry.errors import InvalidInput

Values = npt.NDArray[np.float64]


def noisy_quantiles(output_tokens: npt.NDArray[np.int64], tau_b: float, seed: int) -> Values:
    """Places in the queue (0 to 1) that a ranker of this tau-b would give; 1 is the oracle, 0 knows nothing.

    Of two normal variables with the correlation sin(π tau / 2) Kendall's tau is tau (Greiner's relation), so the normal
    scores of the true lengths are mixed with independent ones in that proportion. Ties of the truth lower the tau-b
    that comes out a little.

    Raises:
        InvalidInput: tau-b is not in [0, 1].
    """
    if not 0 <= tau_b <= 1:
        raise InvalidInput(f"a ranker's tau-b must be in [0, 1], but got {tau_b}.")
    scores = norm.ppf(places(output_tokens))
    correlation = np.sin(np.pi * tau_b / 2)
    noise = np.random.default_rng([seed, 2]).standard_normal(len(scores))
    return places(correlation * scores + np.sqrt(max(0.0, 1 - correlation**2)) * noise)


def instant_quantiles(encoder: Values, tau_b: float, instant_tau_b: float, seed: int) -> Values:
    """Places that an instant tier of a lower tau-b would give beside these of an encoder, from which it was distilled.

    What it has learned is the encoder's score and nothing else of the truth, so its own is that score with more noise.

    Args:
        encoder: the places of `noisy_quantiles`, [requests].
        tau_b: of these.
        instant_tau_b: of the instant tier.
        seed: draws the noise.

    Raises:
        InvalidInput: the instant tier knows more than its encoder.
    """
    if not 0 <= instant_tau_b <= tau_b:
        raise InvalidInput(
            f"an instant tier is distilled from its encoder (tau-b {tau_b:g}), so its own must be at most that, but got"
            f" {instant_tau_b:g}; lower instant_tau."
        )
    if tau_b == 0:
        return encoder
    kept = np.sin(np.pi * instant_tau_b / 2) / np.sin(np.pi * tau_b / 2)
    noise = np.random.default_rng([seed, 7]).standard_normal(len(encoder))
    return places(kept * norm.ppf(encoder) + np.sqrt(max(0.0, 1 - kept**2)) * noise)


def shuffled_places(output_tokens: npt.NDArray[np.int64], seed: int) -> Values:
    """Places of a control: the true lengths, dealt out at random among the requests."""
    return places(np.random.default_rng([seed, 4]).permutation(output_tokens))


def mirrored(quantiles: Values) -> Values:
    """The opposite order, for the second run of a pair under the control, which must gain nothing.

    Shuffled labels leave a ranker with an order of its own, and by chance that order may agree a little with the
    truth. Its mirror image was as likely, so a pair of both has no such luck (antithetic variates).
    """
    return np.asarray(1 - quantiles)


def places(values: npt.NDArray[np.float64] | npt.NDArray[np.int64]) -> Values:
    """The place of each value among all, above 0 and below 1; equal ones share theirs."""
    ranks = np.asarray(rankdata(values), dtype=np.float64)
    return np.asarray((ranks - 0.5) / len(ranks))


def at_places(quantiles: Values, values: npt.NDArray[np.float64] | npt.NDArray[np.int64]) -> Values:
    """The value that stands at each place among all values: `places`, backwards."""
    ordered = np.sort(values).astype(np.float64)
    return np.asarray(ordered[np.minimum((quantiles * len(ordered)).astype(np.int64), len(ordered) - 1)])
