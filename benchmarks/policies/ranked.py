"""What a ranker says of many prompts, and the places that a server makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from benchmarks.policies.places import Values
from benchmarks.policies.places import mirrored as opposite
from benchmarks.policies.served_places import ServedPlaces
from registry.artefact.card import RankerCard
from registry.ranker import Ranker, Tier
from registry.request_features import Readable
from terminal.progress import track


@dataclass(frozen=True)
class Ranked:
    """The predictions of one tier."""

    card: RankerCard
    quantiles: Values
    """Places by length among all predictions of the card, [prompts]."""
    predicted_tokens: Values

    @property
    def mirrored(self) -> Self:
        """The opposite order: the predictions at the opposite places among all of the card's."""
        distribution = self.card.distribution
        quantiles = opposite(self.quantiles)
        tokens = np.interp(quantiles, distribution.knot_shares, distribution.tokens)
        return replace(self, quantiles=quantiles, predicted_tokens=tokens)

    def places(self, served: ServedPlaces) -> Values:
        """The places that a server gives: by length also where the card does not know prompts beside their answers."""
        works = None if served.price is None else self.card.distribution_of_work(served.price.work_s)
        if served.price is None or works is None:
            return served.by_length(self.quantiles, self.card.distribution)
        banded = np.array([self.card.distribution.banded(one) for one in self.predicted_tokens.tolist()])
        return served.by_work(served.price, banded, works)


def ranked_by_all(ranker: Ranker, prompts: Sequence[Readable], name: str) -> dict[Tier, Ranked]:
    """What each tier of a ranker says of each prompt."""
    return {tier: ranked(ranker, prompts, name, tier) for tier in ranker.tiers}


def ranked(ranker: Ranker, prompts: Sequence[Readable], name: str, tier: Tier = "encoder") -> Ranked:
    """What a tier of a ranker says of each prompt; one that comes again is scored once.

    Raises:
        InvalidRanker: it has no such tier.
    """
    distinct = list(dict.fromkeys(prompts))
    shown = track(distinct, f"rank ({name}, {tier})", "prompts")
    scores = ranker.scorer_of(tier).score_all(shown)
    tokens_of = dict(zip(distinct, (ranker.predicted_tokens(score, tier) for score in scores.tolist()), strict=True))
    tokens = np.array([tokens_of[prompt] for prompt in prompts])
    return Ranked(ranker.card, ranker.card.distribution.quantiles(tokens), tokens)
