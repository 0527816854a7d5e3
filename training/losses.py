"""What training minimises: functions of a batch's scores and true lengths, all of one signature."""

from collections.abc import Callable

from torch import Tensor

from training.config import TrainingConfig, TrainingError
from training.pairs import pair_weights

Loss = Callable[[Tensor, Tensor], Tensor]
"""(scores, output_tokens), both float32 [prompts] -> a scalar. Score direction: higher = longer."""


def margin_ranking(margin: float, min_length_difference: float) -> Loss:
    """Mean over all counting pairs of how far the longer prompt is from outscoring the shorter by `margin`."""

    def loss(scores: Tensor, output_tokens: Tensor) -> Tensor:
        weights = pair_weights(output_tokens, min_length_difference)
        shortfall = (margin - (scores.unsqueeze(1) - scores.unsqueeze(0))).clamp(min=0)
        return (weights * shortfall).sum() / weights.sum().clamp(min=1)

    return loss


LOSSES: dict[str, Callable[[TrainingConfig], Loss]] = {
    "margin_ranking": lambda config: margin_ranking(config.margin, config.min_length_difference),
}


def make_loss(config: TrainingConfig) -> Loss:
    """The loss that the config names, with its parameters bound.

    Raises:
        TrainingError: no such loss.
    """
    if config.loss not in LOSSES:
        raise TrainingError(f"loss must be one of {', '.join(LOSSES)}, but got {config.loss!r}.")
    return LOSSES[config.loss](config)
