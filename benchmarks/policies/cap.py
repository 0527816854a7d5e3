"""What the server's cap by `max_tokens` does to places where `max_tokens` is the true length: a planted leak. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from math import log1p

import numpy as np
import numpy.typing as npt

from benchmarks.policies.places import Values
from registry.artefact.length_distribution import LengthDistribution
from registry.request_features import CAP_FEATURE, FEATURES, RequestView, exact


def capped(quantiles: Values, distribution: LengthDistribution, max_tokens: npt.NDArray[np.int64]) -> Values:
    """The places of predictions that are capped: of min(predicted tokens, cap), as `EngineRankers.quantile` has them.

    Places rise with the predicted tokens, so the place of the smaller of the two is the smaller place.

    Args:
        quantiles: the places without a cap, [requests].
        distribution: of the predicted tokens.
        max_tokens: the cap of each request, [requests].
    """
    return np.minimum(quantiles, distribution.quantiles(max_tokens.astype(float)))


def with_caps(views: Sequence[RequestView], max_tokens: npt.NDArray[np.int64] | None) -> list[RequestView]:
    """The same requests with these limits of tokens for a ranker to read; without any it reads none, not their own."""
    if max_tokens is None:
        return [view.without(CAP_FEATURE) for view in views]
    at = FEATURES.index(CAP_FEATURE)
    logs = exact([log1p(tokens) for tokens in max_tokens.tolist()])
    return [
        replace(view, features=(*view.features[:at], cap, *view.features[at + 1 :]))
        for view, cap in zip(views, logs, strict=True)
    ]
