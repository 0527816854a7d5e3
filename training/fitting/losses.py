"""What training minimises: functions of a batch's scores and what is known of their lengths, all of one signature."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import softplus

from registry.errors import InvalidInput
from training.config import TrainingConfig
from training.fitting.pairs import pair_weights
from training.network.batches import Labels
from training.network.examples import by_target
from training.recipe import PairWeighting

Loss = Callable[[Tensor, Labels], Tensor]
"""(scores, labels), the scores float32 [prompts] -> a scalar. Score direction: higher = longer."""


def margin_ranking(margin: float, min_length_difference: float, weighting: PairWeighting = "none") -> Loss:
    """Weighted mean over all counting pairs of how far the longer prompt is from outscoring the shorter by `margin`."""
    return _pairwise(lambda lead: (margin - lead).clamp(min=0), min_length_difference, weighting)


def logistic(min_length_difference: float, weighting: PairWeighting = "none") -> Loss:
    """Weighted mean over all counting pairs of the log loss of the right order (RankNet, Burges et al. 2005)."""
    return _pairwise(lambda lead: softplus(-lead), min_length_difference, weighting)


def list_mle(scores: Tensor, labels: Labels) -> Tensor:
    """Negative log likelihood, per ended answer, that the answers end in their order (ListMLE, Xia et al. 2008).

    By Plackett and Luce the next answer to end is one of those still at risk, in proportion to exp(-score). This is
    Cox's partial likelihood: a censored prompt is at risk for as long as it was recorded, and has no term of its own.
    Answers of equal length share one risk set (Breslow's ties).
    """
    tokens = labels.output_tokens
    is_at_risk = tokens >= tokens.unsqueeze(1)
    risk = (-scores).expand_as(is_at_risk).masked_fill(~is_at_risk, -torch.inf).logsumexp(1)
    has_ended = (~labels.is_censored).to(scores.dtype)
    return (has_ended * (scores + risk)).sum() / has_ended.sum().clamp(min=1)


def pointwise_l1(scores: Tensor, labels: Labels) -> Tensor:
    """Mean distance of score and log length; a censored prompt costs only if it is scored below its recorded length."""
    shortfall = labels.output_tokens.log() - scores
    return torch.where(labels.is_censored, shortfall.clamp(min=0), shortfall.abs()).mean()


def within_targets(loss: Loss, scores: Tensor, labels: Labels) -> Tensor:
    """A loss; of several target LLMs its mean over them, each by its own answers: lengths of two are never compared."""
    if scores.dim() == 1:
        return loss(scores, labels)
    return torch.stack([loss(its_scores, its_labels) for _, its_scores, its_labels in by_target(scores, labels)]).mean()


def _pairwise(cost: Callable[[Tensor], Tensor], min_length_difference: float, weighting: PairWeighting) -> Loss:
    """Weighted mean of the cost of each counting pair's lead, the longer prompt's score less the shorter one's."""

    def loss(scores: Tensor, labels: Labels) -> Tensor:
        weights = pair_weights(labels, min_length_difference, weighting)
        lead = scores.unsqueeze(1) - scores.unsqueeze(0)
        return (weights * cost(lead)).sum() / weights.sum().clamp(min=1)

    return loss


PAIRWISE_LOSSES: dict[str, Callable[[TrainingConfig], Loss]] = {
    "margin_ranking": lambda one: margin_ranking(one.margin, one.min_length_difference, one.pair_weighting),
    "logistic": lambda one: logistic(one.min_length_difference, one.pair_weighting),
}
LOSSES: dict[str, Callable[[TrainingConfig], Loss]] = {
    **PAIRWISE_LOSSES,
    "list_mle": lambda _: list_mle,
    "pointwise_l1": lambda _: pointwise_l1,
}


LOSS_SETTINGS: dict[str, tuple[str, ...]] = {
    "margin_ranking": ("margin", "min_length_difference"),
    "logistic": ("min_length_difference",),
    "list_mle": (),
    "pointwise_l1": (),
}
"""The settings that a study tunes for a loss; another one would be tuned for nothing."""


def make_loss(config: TrainingConfig) -> Loss:
    """The loss that the config names, with its parameters bound.

    Raises:
        InvalidInput: no such loss, or it knows no pairs and the config says something of them.
    """
    if config.loss not in LOSSES:
        raise InvalidInput(f"loss must be one of {', '.join(LOSSES)}, but got {config.loss!r}.")
    asks_for_pairs = config.pairing == "sampled" or config.pair_weighting != "none"
    if asks_for_pairs and config.loss not in PAIRWISE_LOSSES:
        raise InvalidInput(
            f"with pairing={config.pairing} and pair_weighting={config.pair_weighting} the loss must be one of"
            f" {', '.join(PAIRWISE_LOSSES)}, but got {config.loss!r}; use pairing=in_batch and pair_weighting=none."
        )
    return LOSSES[config.loss](config)
