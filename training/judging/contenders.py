"""Who is compared in an evaluation: registered rankers, and baselines that are fitted on the spot."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from registry.artefact.card import Grouping
from registry.order.certain_pairs import Values
from registry.ranker import Ranker, Tier
from registry.request_features import RequestView
from terminal.progress import track
from training.judging.baselines.baselines import Baseline
from training.judging.target_llm import Target


@dataclass(frozen=True)
class Contender:
    """Something that scores the test prompts of a target LLM."""

    score: Callable[[Target], Values]
    """Scores of the test prompts, [prompts]; higher = longer."""
    params: dict[str, str]
    """What MLflow shows of it."""
    grouped_by: tuple[Grouping, ...] = ()
    """How the data was grouped that it was trained on; none for a baseline, which is fitted on the log at hand."""


def registered_ranker(uri: str, ranker: Ranker, tier: Tier = "encoder") -> Contender:
    """A tier of a ranker as it is served. It scores a request once, however many target LLMs answered it.

    Raises:
        InvalidRanker: the ranker has no such tier.
    """
    known: dict[RequestView, float] = {}
    scorer = ranker.scorer_of(tier)

    def score(target: Target) -> Values:
        new = [view for view in target.test.views if view not in known]
        shown = track(new, f"score with the {tier} tier of {uri}", "prompts")
        known.update(zip(new, scorer.score_all(shown).tolist(), strict=True))
        return np.array([known[view] for view in target.test.views])

    params = {"ranker": uri, "tier": tier, "target_llm": ranker.card.target_llm}
    return Contender(score, params, ranker.card.grouped_by)


def baseline(name: str, at_most: int | None, seed: int) -> Contender:
    """A baseline, fitted on at most so many training prompts of the very target LLM that it is tested on.

    Raises:
        InvalidInput: there is no baseline of this name.
    """
    fresh = Baseline(name, seed)

    def score(target: Target) -> Values:
        return fresh.fit(target.log.part("train", at_most, seed)).score_all(target.test.views)

    return Contender(score, {"ranker": name})
