"""Tie bands: pairs of prompts whose predictions are too close to be told apart, so that arrival decides. Pure.

After Bounded-Abstention Pairwise Learning to Rank (arXiv 2505.23437): of all pairs a ranker abstains from the share in
which it is least sure. Here a ranker is the surer the further apart the logarithms of its predicted tokens are.
"""

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import pdist

from registry.order.certain_pairs import Values

MAX_PROMPTS = 2000
"""Two million pairs show enough; more would only cost memory."""


def band_width(predicted_tokens: Values, coverage: float) -> float:
    """The width, in log tokens, that the predictions of a share `coverage` (0 to 1) of the pairs differ by or exceed.

    Bands are a grid of this width. Two predictions of one band never differ by more, but close ones on either side of
    an edge are still told apart; so the pairs that tie are fewer than 1 - `coverage`.
    """
    if coverage >= 1:
        return 0.0
    return float(np.quantile(pdist(_log_column(predicted_tokens)), 1 - coverage))


def accuracy_by_coverage(
    predicted_tokens: Values, output_tokens: Values, coverages: tuple[float, ...], is_censored: npt.NDArray[np.bool_]
) -> list[float]:
    """Share of the pairs ordered right among the surest, for each share of pairs (above 0) that is told apart.

    Only pairs of certain order and different true length count (`registry/order/certain_pairs.py`); a predicted tie
    is half right.
    """
    first, second = np.triu_indices(min(len(output_tokens), MAX_PROMPTS), k=1)
    order = np.sign(output_tokens[first] - output_tokens[second])
    order += (order == 0) * (1.0 * is_censored[first] - is_censored[second])
    is_pair = (order != 0) & ~np.where(order < 0, is_censored[first], is_censored[second])
    first, second, order = first[is_pair], second[is_pair], order[is_pair]
    gaps = np.log(predicted_tokens[first]) - np.log(predicted_tokens[second])
    rightness = (np.sign(gaps) * order + 1) / 2
    surest_first = rightness[np.argsort(-np.abs(gaps), kind="stable")]
    accuracies = np.cumsum(surest_first) / np.arange(1, len(surest_first) + 1)
    return [float(accuracies[max(1, round(share * len(accuracies))) - 1]) for share in coverages]


def _log_column(tokens: Values) -> Values:
    return np.asarray(np.log(tokens[:MAX_PROMPTS])[:, None], dtype=np.float64)
