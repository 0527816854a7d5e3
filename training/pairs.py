"""Which pairs of a batch count, and how much. Pure."""

from torch import Tensor


def pair_weights(output_tokens: Tensor, min_length_difference: float) -> Tensor:
    """Weight of every pair [longer, shorter] of a batch: 1 if it counts, else 0.

    A pair counts if the two lengths differ, by at least `min_length_difference` of the longer one. Close lengths
    are mostly noise: the same LLM would answer the same two prompts in the other order next time.
    """
    longer, shorter = output_tokens.unsqueeze(1), output_tokens.unsqueeze(0)
    is_far_apart = longer - shorter >= min_length_difference * longer
    return ((longer > shorter) & is_far_apart).to(output_tokens.dtype)
