"""Labels of batches as the tests write them, and the losses that they are given to."""

from collections.abc import Sequence

import torch
from hypothesis import strategies as st

from training.fitting.losses import LOSSES, PAIRWISE_LOSSES
from training.network.batches import Labels

LOSSES_AND_WEIGHTINGS = [(loss, "none") for loss in LOSSES] + [(loss, "length_gap") for loss in PAIRWISE_LOSSES]


def labels(
    output_tokens: Sequence[float], is_censored: Sequence[bool] | None = None, groups: Sequence[int] | None = None
) -> Labels:
    """Labels in float64; nobody is censored and all are one group unless said."""
    size = len(output_tokens)
    return Labels(
        torch.tensor(output_tokens, dtype=torch.float64),
        torch.tensor(is_censored or [False] * size),
        torch.tensor(groups or [0] * size),
    )


def any_labels(max_size: int = 20) -> st.SearchStrategy[Labels]:
    """Labels with ties and censored prompts among them."""
    prompts = st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=max_size)
    return prompts.map(lambda each: labels(*zip(*each, strict=True)))
