"""What the instant network learns from: prompts and the encoder's scores, batch by batch."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from training.distilling.packing import Packed, pack

BATCHES = range(16, 257)
"""Prompts of a step; each two of them are a pair."""
LEAST_STEPS = 100
"""Of a pass over the prompts: few come in smaller batches."""
LEAST_VISITS = 10_000
"""Prompts that an epoch visits: fewer come again."""
MOST_PASSES = 2
"""Of an epoch over the same prompts."""


class Lesson(NamedTuple):
    """One step."""

    packed: Packed
    features: Tensor
    """What is read beside the prompts: float32 [prompts, features], NaN where one is missing."""
    teacher: Tensor
    """The encoder's scores in units of their spread: float32 [prompts]."""


class Lessons:
    """The prompts of an epoch, batch by batch; each pass has a new order that only the seed decides.

    The prompts of a pass that fill no batch are left to the other passes.
    """

    def __init__(self, encoded: Sequence[Sequence[int]], features: Tensor, teacher: Tensor, seed: int) -> None:
        self._encoded = encoded
        self._features = features
        self._teacher = teacher
        batch = min(max(len(encoded) // LEAST_STEPS, BATCHES[0]), BATCHES[-1])
        self._batch = min(batch, len(encoded))
        self._passes = min(-(-LEAST_VISITS // len(encoded)), MOST_PASSES)
        self._rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return self._passes * (len(self._encoded) // self._batch)

    def __iter__(self) -> Iterator[Lesson]:
        for _ in range(self._passes):
            order = torch.from_numpy(self._rng.permutation(len(self._encoded)))
            for chosen in torch.split(order, self._batch):
                if len(chosen) == self._batch:
                    packed = pack([self._encoded[index] for index in chosen.tolist()])
                    yield Lesson(packed, self._features[chosen], self._teacher[chosen])
