"""Scores of the whole batch, where several processes share it: a pair may lie in two of them."""

from collections.abc import Sequence

import torch
from torch import Tensor, distributed


def gathered(scores: Tensor, shares: Sequence[int]) -> Tensor:
    """The scores of all processes, share by share; this one's own with their gradient.

    `scores` are those of this process, of which as many count as its share has. Every process then knows the loss of
    the whole batch, and of its gradient the part that goes through its own scores: the sum over the processes is that
    of one process which has read all. Data parallel training takes the mean, so the loss wants a factor.
    """
    if len(shares) == 1:
        return scores
    rank = distributed.get_rank()
    own = scores[: shares[rank]]
    sent = scores.new_zeros(max(shares), *scores.shape[1:])
    sent[: len(own)] = own.detach()
    received = [torch.empty_like(sent) for _ in shares]
    distributed.all_gather(received, sent)
    parts = [part[:prompts] for part, prompts in zip(received, shares, strict=True)]
    return torch.cat([*parts[:rank], own, *parts[rank + 1 :]])
