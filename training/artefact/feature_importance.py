"""What each feature is worth to a ranker: the tau-b that is lost where it is missing from every request."""

from collections.abc import Sequence

from registry.artefact.scorer import Scorer
from registry.request_features import RequestView
from terminal.progress import track
from traffic.labelled_prompts import LabelledPrompts
from training.judging.ranking_metrics import kendall_tau_b

IMPORTANCE_PROMPTS = 500
"""Test prompts at most, each of which is scored once more for every feature."""


def tau_lost(scorer: Scorer, features: Sequence[str], test: LabelledPrompts) -> dict[str, float]:
    """By the name of each of these features, the tau-b of some test prompts with it less that without it.

    To a network one that is missing is at its mean, so this is permutation importance (Breiman, Random forests, Machine
    Learning 45, 2001) without the draw. Features that tell the same stand in for each other, and each loses little.
    """
    some = test.first(IMPORTANCE_PROMPTS)

    def tau(views: Sequence[RequestView]) -> float:
        return kendall_tau_b(scorer.score_all(views), some.output_tokens, some.is_censored)

    with_all = tau(some.views) if features else 0.0
    shown = track(features, "score prompts without each feature", "features")
    return {name: with_all - tau([view.without(name) for view in some.views]) for name in shown}
