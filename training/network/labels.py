"""What is known of the prompts of a batch, as the losses see it."""

from typing import NamedTuple

from torch import Tensor


class Labels(NamedTuple):
    """In the order of the batch's scores."""

    output_tokens: Tensor
    """Recorded lengths: float32 [prompts]."""
    is_censored: Tensor
    """Whether the true length is only known to be at least the recorded one: bool [prompts]."""
    groups: Tensor
    """Only prompts of one group can be a pair: int64 [prompts]. A batch is one group, or many groups of two."""

    def take(self, indices: Tensor) -> "Labels":
        """Those of some prompts, in the order of the indices."""
        return Labels(*(one[indices] for one in self))
