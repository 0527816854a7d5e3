"""Prompts end to end in one row of tokens, with gaps between them that no convolution reaches across: no padding."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

GAP = 2
"""Tokens between two prompts: as far as a convolution sees to either side."""


class Packed(NamedTuple):
    """The prompts of a batch."""

    ids: Tensor
    """Token ids, 0 in the gaps: int64 [tokens]."""
    prompt_of: Tensor
    """Which prompt a token belongs to: int64 [tokens]."""
    is_token: Tensor
    """1, and 0 in the gaps: float32 [tokens]."""
    prompts: int


def pack(encoded: Sequence[Sequence[int]]) -> Packed:
    """Pack the token ids of some prompts."""
    lengths = torch.tensor([len(ids) for ids in encoded])
    gap = [0] * GAP
    ids = torch.tensor([one for prompt in encoded for one in (*prompt, *gap)])
    prompt_of = torch.repeat_interleave(torch.arange(len(encoded)), lengths + GAP)
    starts = (lengths + GAP).cumsum(0) - lengths - GAP
    places = torch.arange(len(ids)) - starts[prompt_of]
    return Packed(ids, prompt_of, (places < lengths[prompt_of]).float(), len(encoded))
