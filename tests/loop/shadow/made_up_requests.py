"""Requests of which nothing is known but their lengths."""

from collections.abc import Sequence

import numpy as np

from loop.fresh.fresh_requests import FreshRequests


def made_up_requests(
    output_tokens: np.ndarray, arrival_s: np.ndarray | None = None, groups: Sequence[str] | None = None
) -> FreshRequests:
    """Each a session of its own unless said; of unknown arrivals unless given."""
    num = len(output_tokens)
    unknown = np.full(num, np.nan)
    return FreshRequests(
        views=None,
        output_tokens=output_tokens,
        is_censored=np.zeros(num, dtype=np.bool_),
        arrival_s=unknown if arrival_s is None else arrival_s,
        groups=groups or [str(number) for number in range(num)],
        tenants=[None] * num,
        prompt_tokens=unknown,
        predicted_tokens=unknown,
        correction=unknown,
        quantile=unknown,
        ranker_version=[None] * num,
        placed_by=[None] * num,
        fail_open_reason=[None] * num,
        where="some",
        digest="0",
    )
