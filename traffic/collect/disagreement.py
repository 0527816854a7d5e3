"""On which prompts two predictions of the answers' lengths differ most: there an answer teaches most.

Each of the two, a ranker's tiers or two rankers, places all prompts by its predicted lengths: the place is the share of
prompts that are predicted shorter and half of those that are predicted the same, from 0 to 1. The disagreement on a
prompt is the difference of its two places. So a ranker whose predictions are all ten times as long, or of another LLM,
disagrees only where its order does. This is the query by committee of Seung, Opper and Sompolinsky (1992), with a
committee of two.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from registry.ranker import Ranker, Tier
from registry.request_features import RequestView
from registry.store import load_ranker
from terminal.progress import track
from traffic.collect.config import CollectConfig
from traffic.collect.prompt_files import view_of_asked

Values = npt.NDArray[np.float64]


def disagreements(config: CollectConfig, asked: Sequence[str]) -> Values:
    """The difference of the two places of each prompt, 0 to 1, float64 [prompts].

    Raises:
        InvalidRanker: a ranker does not load, or has one tier only.
        RegistryError: a ranker cannot be had.
    """
    views = [view_of_asked(one) for one in asked]
    one, other = (_places(ranker, tier, views) for ranker, tier in _committee(config))
    return np.abs(one - other)


def _committee(config: CollectConfig) -> Sequence[tuple[Ranker, Tier]]:
    if config.ranker is not None:
        ranker = load_ranker(config.ranker)
        ranker.scorer_of("instant")  # that it has one is known before minutes of scoring
        return [(ranker, "instant"), (ranker, "encoder")]
    return [(load_ranker(uri), "encoder") for uri in config.rankers]


def _places(ranker: Ranker, tier: Tier, views: Sequence[RequestView]) -> Values:
    shown = track(views, f"predict lengths ({ranker.card.target_llm}, {tier} tier)", "prompts")
    scores = ranker.scorer_of(tier).score_all(shown)
    return np.asarray((rankdata(scores) - 0.5) / len(views))
