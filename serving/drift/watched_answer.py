"""What is watched: answers beside the predictions that they were placed by, and what a card lets one expect of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Literal, NamedTuple, Self

from registry.artefact.card import RankerCard
from registry.artefact.length_distribution import LengthDistribution
from registry.order.static_gain import STATIC_GAIN_S_PER_TOKEN
from registry.ranker import Tier

Watched = Literal["kendall_tau_b", "static_gain", "calibration"]
"""What a detector looks at: tau-b, the static gain in seconds per token, and true ÷ predicted length."""
NAME_IN_CARD: Mapping[Watched, str] = {
    "kendall_tau_b": "kendall_tau_b",
    "static_gain": STATIC_GAIN_S_PER_TOKEN,
}
"""Of the encoder; the instant tier's begins with `instant_`. A calibration is fitted to be right: it has no metric."""


class WatchedAnswer(NamedTuple):
    """One answer of a request that a tier of the ranker placed."""

    predicted_tokens: float
    """Uncorrected: the correction moves predictions after the answers, and so hides what becomes of a ranker."""
    output_tokens: float
    """At least 1."""
    is_censored: bool
    """Whether the true length is only known to be at least that: it was cut, or its client left."""
    tier: Tier = "encoder"
    correction: float = 1.0
    """What the prediction was multiplied by to find the place."""
    at_s: float = 0.0
    """When it was finished, in seconds since 1970."""


@dataclass(frozen=True)
class Reference:
    """What a card says of its ranker: its metrics on the test prompts, and its predictions for the validation ones."""

    metrics: Mapping[str, float]
    distribution: LengthDistribution

    @classmethod
    def of(cls, card: RankerCard) -> Self:
        """The reference of a ranker with this card."""
        return cls(card.metrics, card.distribution)

    def expected(self, watched: Watched, tiers: Iterable[Tier]) -> float | None:
        """What it lets one expect of answers that these tiers placed; None where it does not say.

        A tier without a metric of its own counts as the encoder.
        """
        if watched == "calibration":
            return 1.0
        name = NAME_IN_CARD[watched]
        of_encoder = self.metrics.get(name)
        of_tier = {"encoder": of_encoder, "instant": self.metrics.get(f"instant_{name}", of_encoder)}
        found = [of_tier[tier] for tier in tiers]
        known = [one for one in found if one is not None]
        return fmean(known) if known and len(known) == len(found) else None
