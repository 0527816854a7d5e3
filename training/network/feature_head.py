"""What a request's features add to a score, alone and together with its text; one that never varied adds nothing."""

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from registry.request_features import FEATURES

MOST_SPREADS = 5.0
"""A value farther from the mean counts as this far: no request leaves what the training knows by much."""
LEAST_SPREAD = 1e-6
"""What varies less is constant."""
TEXT_WIDTH = 16
"""Numbers that the text is brought to before it meets the features."""
HIDDEN = 32


class FeatureHead(nn.Module):
    """The vector and the pooled text in, what they add to the score out. At first that is 0.

    Each feature has two inputs: its value in spreads from the mean, the mean where it is missing, and whether it is
    missing. An input that was the same for all training prompts weighs exactly nothing, so what is missing now and
    never was in training counts as the mean. Written out without `nn.Linear`, so that neither bf16 nor int8 rounds it.
    """

    mean: Tensor
    least: Tensor
    most: Tensor
    centre: Tensor
    scale: Tensor

    def __init__(self, text_width: int) -> None:
        super().__init__()
        inputs = 2 * len(FEATURES)
        for name, width in {"mean": 1, "least": 1, "most": 1, "centre": 2, "scale": 2}.items():
            self.register_buffer(name, torch.zeros(width * len(FEATURES)))
        self.linear = nn.Parameter(torch.zeros(inputs))
        self.text = nn.Parameter(torch.randn(TEXT_WIDTH, text_width) * text_width**-0.5)
        self.hidden = nn.Parameter(torch.randn(HIDDEN, TEXT_WIDTH + inputs) * (TEXT_WIDTH + inputs) ** -0.5)
        self.bias = nn.Parameter(torch.zeros(HIDDEN))
        self.out = nn.Parameter(torch.zeros(HIDDEN))

    @torch.no_grad()
    def fitted(self, features: Tensor) -> Self:
        """Learn what is usual from the training prompts' features, float32 [prompts, features].

        What varied where this head has learned already stays as it was there: its weights are of that.
        """
        is_missing, knew, varied = features.isnan(), self.has_learned, self.scale > 0
        is_new = ~varied.view(2, -1).any(0)
        mean = features.nan_to_num(0.0).sum(0) / (~is_missing).sum(0).clamp(min=1)
        self.mean.copy_(torch.where(is_new, mean, self.mean))
        filled = torch.where(is_missing, self.mean, features)
        spread = MOST_SPREADS * filled.std(0, correction=0)
        self.least.copy_(torch.where(is_new, self.mean - spread, self.least))
        self.most.copy_(torch.where(is_new, self.mean + spread, self.most))
        inputs = torch.cat([filled.clamp(self.least, self.most), is_missing.float()], 1)
        spreads = inputs.std(0, correction=0)
        scale = torch.where(spreads > LEAST_SPREAD, 1 / spreads.clamp(min=LEAST_SPREAD), 0.0)
        self.centre.copy_(torch.where(varied, self.centre, inputs.mean(0)))
        self.scale.copy_(torch.where(varied, self.scale, scale))
        if knew:  # what was constant there has weights that nothing has taught
            self.hidden[:, TEXT_WIDTH:].mul_(varied)
        return self

    @property
    def has_learned(self) -> bool:
        """Whether it adds anything: a fresh one does not."""
        return bool(self.linear.any() or self.out.any())

    @property
    def names(self) -> Sequence[str]:
        """The features that vary, in the order of all: the others have no weight."""
        counts = self.scale.view(2, -1).any(0).tolist()
        return [name for name, one in zip(FEATURES, counts, strict=True) if one]

    def forward(self, pooled: Tensor, features: Tensor) -> Tensor:
        """What is added to the scores, float32 [prompts], of pooled texts [prompts, text width] and features."""
        is_missing = features.isnan()
        filled = torch.where(is_missing, self.mean, features).clamp(self.least, self.most)
        inputs = (torch.cat([filled, is_missing.float()], 1) - self.centre) * self.scale
        together = torch.cat([_product(pooled, self.text), inputs], 1)
        hidden = torch.relu(_product(together, self.hidden) + self.bias)
        return (inputs * self.linear).sum(-1) + (hidden * self.out).sum(-1)


def _product(inputs: Tensor, weights: Tensor) -> Tensor:
    return (inputs.unsqueeze(1) * weights).sum(-1)
