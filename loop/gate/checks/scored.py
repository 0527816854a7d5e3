"""What rankers say of the requests on which they are judged, afresh: uncorrected, and on this machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loop.fresh.fresh_requests import FreshRequests, Values
from registry.ranker import Ranker, Tier
from registry.request_features import RequestView
from terminal.progress import track


@dataclass(frozen=True)
class Scored:
    """Predicted tokens of each tier, [requests]."""

    tokens: Mapping[Tier, Values]
    unreadable: Mapping[Tier, float]
    """Share of the requests that a tier could not read; like a server, it takes them for the median one."""


def scored(who: str, ranker: Ranker, requests: FreshRequests, tiers: Sequence[Tier] | None = None) -> Scored:
    """What each tier of a ranker says, or some; a request that comes again is scored once."""
    assert requests.views is not None
    found = {tier: _tokens(who, ranker, tier, requests.views) for tier in tiers or ranker.tiers}
    median = ranker.card.distribution.median_tokens
    return Scored(
        {tier: np.where(np.isnan(one), median, one) for tier, one in found.items()},
        {tier: float(np.isnan(one).mean()) if len(one) else 0.0 for tier, one in found.items()},
    )


def _tokens(who: str, ranker: Ranker, tier: Tier, views: Sequence[RequestView]) -> Values:
    distinct = list(dict.fromkeys(views))
    shown = track(distinct, f"score with the {who}'s {tier} tier", "requests")
    known = {view: _predicted(ranker, tier, view) for view in shown}
    return np.array([known[view] for view in views], dtype=np.float64)


def _predicted(ranker: Ranker, tier: Tier, view: RequestView) -> float:
    """NaN where it cannot be read."""
    try:
        return ranker.predicted_tokens(ranker.scorer_of(tier).score(view), tier)
    except Exception:  # ONNX Runtime raises bare or private exception types
        return np.nan
