"""What the server's cap by `max_tokens` does to places where `max_tokens` is the true length: a planted leak. Pure."""

import numpy as np
import numpy.typing as npt

from benchmarks.policies.places import Values
from registry.artefact.length_distribution import LengthDistribution


def capped(quantiles: Values, distribution: LengthDistribution, max_tokens: npt.NDArray[np.int64]) -> Values:
    """The places of predictions that are capped: of min(predicted tokens, cap), as `EngineRankers.quantile` has them.

    Places rise with the predicted tokens, so the place of the smaller of the two is the smaller place.

    Args:
        quantiles: the places without a cap, [requests].
        distribution: of the predicted tokens.
        max_tokens: the cap of each request, [requests].
    """
    return np.minimum(quantiles, distribution.quantiles(max_tokens.astype(float)))
