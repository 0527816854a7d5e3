"""Prompts as padded batches of token ids."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from registry.prompts import encode
from training.length_log import LabelledPrompts


class Chunk(NamedTuple):
    """Prompts of similar length, padded to the longest of them: int64 [prompts, tokens]."""

    input_ids: Tensor
    attention_mask: Tensor


class Batch(NamedTuple):
    """The prompts of one step. Their scores, concatenated over the chunks, are in the order of `output_tokens`."""

    chunks: list[Chunk]
    output_tokens: Tensor


class Batches:
    """All prompts, batch by batch; each pass over a shuffled one has a new order that only the seed decides."""

    def __init__(
        self,
        encoded: Sequence[list[int]],
        labelled: LabelledPrompts,
        batch_prompts: int,
        chunk_prompts: int,
        seed: int | None,
    ) -> None:
        self._encoded = encoded
        self._output_tokens = torch.tensor(labelled.output_tokens, dtype=torch.float32)
        self._batch_prompts = batch_prompts
        self._chunk_prompts = chunk_prompts
        self._rng = None if seed is None else np.random.default_rng(seed)

    def __len__(self) -> int:
        return -(-len(self._encoded) // self._batch_prompts)

    def __iter__(self) -> Iterator[Batch]:
        size = len(self._encoded)
        order = np.arange(size) if self._rng is None else self._rng.permutation(size)
        for start in range(0, size, self._batch_prompts):
            yield self._batch(order[start : start + self._batch_prompts].tolist())

    def _batch(self, indices: list[int]) -> Batch:
        """Sorted by tokens and padded chunk by chunk, so that next to no padding is computed."""
        indices = sorted(indices, key=lambda index: len(self._encoded[index]))
        starts = range(0, len(indices), self._chunk_prompts)
        chunks = [[self._encoded[index] for index in indices[start : start + self._chunk_prompts]] for start in starts]
        return Batch([pad(chunk) for chunk in chunks], self._output_tokens[indices])


def encode_all(tokenizer: Tokenizer, prompts: Sequence[str], max_tokens: int) -> list[list[int]]:
    """Token ids of each prompt, exactly as a registered ranker will see them."""
    return [encode(tokenizer, prompt, max_tokens) for prompt in prompts]


def pad(encoded: Sequence[list[int]]) -> Chunk:
    """Right-pad with id 0, which the mask hides."""
    tokens = max(len(ids) for ids in encoded)
    return Chunk(
        torch.tensor([ids + [0] * (tokens - len(ids)) for ids in encoded]),
        torch.tensor([[1] * len(ids) + [0] * (tokens - len(ids)) for ids in encoded]),
    )
