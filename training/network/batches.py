"""Requests as batches: padded token ids, and the features beside them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, distributed

from registry.request_features import RequestView, matrix_of
from registry.window.token_window import TokenWindow
from traffic.labelled_prompts import LabelledPrompts
from training.network.chunk_sizes import chunk_sizes


class Labels(NamedTuple):
    """What is known of the prompts of a batch, as the losses see it; in the order of its scores."""

    output_tokens: Tensor
    """Recorded lengths: float32 [prompts]."""
    is_censored: Tensor
    """Whether the true length is only known to be at least the recorded one: bool [prompts]."""
    groups: Tensor
    """Only prompts of one group can be a pair: int64 [prompts]. A batch is one group, or many groups of two."""

    def take(self, indices: Tensor) -> "Labels":
        """Those of some prompts, in the order of the indices."""
        return Labels(*(one[indices] for one in self))


class Chunk(NamedTuple):
    """Requests whose prompts are of similar length, padded to the longest of them."""

    input_ids: Tensor
    """int64 [prompts, tokens]."""
    attention_mask: Tensor
    """int64 [prompts, tokens]."""
    features: Tensor
    """What is read of each beside its prompt: float32 [prompts, features], NaN where one is missing."""


class Encoded(NamedTuple):
    """Many requests as a network takes them."""

    ids: Sequence[list[int]]
    """Token ids of each prompt."""
    features: Tensor
    """float32 [prompts, features], NaN where one is missing."""

    def chunk(self, indices: Tensor) -> Chunk:
        """Some of them, right-padded with id 0, which the mask hides."""
        its = [self.ids[index] for index in indices.tolist()]
        tokens = max(map(len, its))
        return Chunk(
            torch.tensor([ids + [0] * (tokens - len(ids)) for ids in its]),
            torch.tensor([[1] * len(ids) + [0] * (tokens - len(ids)) for ids in its]),
            self.features[indices],
        )


class Batch(NamedTuple):
    """The prompts of one step. Their scores, over the chunks and then the processes, are in the order of the labels."""

    chunks: list[Chunk]
    labels: Labels
    encoder_tokens: int
    """Tokens that the encoder reads, padding left out."""
    shares: tuple[int, ...]
    """Prompts of each process that trains; the chunks hold this process's, the labels those of all, share by share."""


class Batches:
    """All prompts, or all pairs of prompts, batch by batch.

    A prompt comes once a pass, or once for each pair that it is in: a pair is two forward passes. Each pass over a
    shuffled one (with a seed) has a new order that only the seed decides.

    Iterating goes on after the last batch that was given, so that a pass can be resumed; the state is one number.
    Where several processes train together each encodes its share of every batch, and knows the labels of all shares.
    Who has none, of a last batch with fewer prompts (or pairs) than processes, encodes one that does not count, since
    all must take the same number of steps.
    """

    def __init__(
        self,
        encoded: Encoded,
        labels: Labels,
        batch_size: int,
        chunk_tokens: int,
        seed: int | None,
        pairs: Tensor | None = None,
    ) -> None:
        self.encoded = encoded
        """All requests of a pass, in the order of their indices."""
        self._labels = labels
        self._pairs = pairs
        self._batch_size = batch_size
        self._chunk_tokens = chunk_tokens
        self._seed = seed
        self._given = 0

    def __len__(self) -> int:
        return -(-self._size // self._batch_size)

    def __iter__(self) -> Iterator[Batch]:
        passes, given = divmod(self._given, len(self))
        order = self._order(passes)
        for start in range(given * self._batch_size, len(order), self._batch_size):
            self._given += 1
            yield self._batch(order[start : start + self._batch_size])

    def state_dict(self) -> dict[str, int]:
        """Batches given so far, over all passes; Lightning keeps it in its checkpoints."""
        return {"given": self._given}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Go on after the batches of the state."""
        self._given = state_dict["given"]

    def _order(self, passes: int) -> Tensor:
        """Order of the prompts, or of the pairs, after so many passes."""
        if self._seed is None:
            return torch.arange(self._size)
        rng = np.random.default_rng(self._seed)
        orders = [rng.permutation(self._size) for _ in range(passes + 1)]
        return torch.from_numpy(orders[-1])

    @property
    def _size(self) -> int:
        """Prompts of a pass, or pairs."""
        return len(self.encoded.ids) if self._pairs is None else len(self._pairs)

    def _batch(self, chosen: Tensor) -> Batch:
        """Of prompts, or of pairs; padded chunk by chunk, so that next to no padding is computed."""
        rank, processes = _place()
        shares = [self._by_tokens(chosen[place::processes]) for place in range(processes)]
        indices = shares[rank][0] if rank < len(chosen) else self._by_tokens(chosen[:1])[0]
        tokens = [len(self.encoded.ids[index]) for index in indices.tolist()]
        chunks = [self.encoded.chunk(part) for part in torch.split(indices, chunk_sizes(tokens, self._chunk_tokens))]
        labels = Labels(*map(torch.cat, zip(*(labels for _, labels in shares), strict=True)))
        return Batch(chunks, labels, sum(tokens), tuple(len(indices) for indices, _ in shares))

    def _by_tokens(self, chosen: Tensor) -> tuple[Tensor, Labels]:
        """Indices and labels of prompts, or of those of pairs, in the order of their tokens."""
        indices = chosen if self._pairs is None else self._pairs[chosen].flatten()
        labels = self._labels.take(indices)
        if self._pairs is not None:
            labels = labels._replace(groups=chosen.repeat_interleave(2))
        order = torch.tensor([len(self.encoded.ids[index]) for index in indices.tolist()]).argsort(stable=True)
        return indices[order], labels.take(order)


def labels_of(labelled: LabelledPrompts) -> Labels:
    """The labels as tensors, all prompts in one group."""
    return Labels(
        output_tokens=torch.tensor(labelled.output_tokens, dtype=torch.float32),
        is_censored=torch.tensor(labelled.is_censored),
        groups=torch.zeros(len(labelled), dtype=torch.int64),
    )


def _place() -> tuple[int, int]:
    """Which of the processes that train together this one is, and how many there are."""
    if not distributed.is_available() or not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def encode_all(tokenizer: Tokenizer, views: Sequence[RequestView], max_tokens: int) -> Encoded:
    """Requests exactly as a registered ranker will see them."""
    window = TokenWindow(tokenizer, max_tokens)
    return Encoded([window.ids(view.text, view.tools) for view in views], torch.from_numpy(matrix_of(views)))
