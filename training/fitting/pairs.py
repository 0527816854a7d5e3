"""Which pairs count, and how much. Pure."""

import torch
from torch import Tensor

from training.network.batches import Labels
from training.recipe import PairWeighting

ROWS_IN_A_BLOCK = 256
"""Prompts whose partners are drawn at a time; more would only cost memory."""


def counting_pairs(rows: Labels, columns: Labels, min_length_difference: float) -> Tensor:
    """Which pairs [longer, shorter] count, of prompts that are rows and columns: bool [rows, columns].

    A pair counts if the two lengths differ, by at least `min_length_difference` of the longer one. Close lengths
    are mostly noise: the same LLM would answer the same two prompts in the other order next time. And the shorter
    answer must have ended by itself: of one that was cut nobody knows whether it is the shorter. If only the longer
    one was cut, its true length differs even more, so the order is certain.
    """
    longer, shorter = rows.output_tokens.unsqueeze(1), columns.output_tokens
    is_far_apart = longer - shorter >= min_length_difference * longer
    return (longer > shorter) & is_far_apart & ~columns.is_censored & (rows.groups.unsqueeze(1) == columns.groups)


def pair_weights(labels: Labels, min_length_difference: float, weighting: PairWeighting = "none") -> Tensor:
    """Weight of every pair [longer, shorter] of a batch; 0 if it does not count.

    With `none` every pair that counts weighs 1. With `length_gap` it weighs as the log of its longer ÷ shorter length,
    scaled so that the mean over the pairs that count is 1 too.
    """
    tokens = labels.output_tokens
    counts = counting_pairs(labels, labels, min_length_difference).to(tokens.dtype)
    if weighting == "none":
        return counts
    gaps = counts * (tokens.unsqueeze(1) / tokens).log()
    return gaps * (counts.sum() / gaps.sum().clamp(min=torch.finfo(gaps.dtype).tiny))


def sample_pairs(labels: Labels, partners: int, min_length_difference: float, seed: int) -> Tensor:
    """Draw for each prompt up to `partners` different partners with which it is a pair that counts.

    Returns the indices of both, int64 [pairs, 2]; two prompts that draw each other are a pair twice.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn = []
    for block in torch.split(torch.arange(len(labels.output_tokens)), ROWS_IN_A_BLOCK):
        rows = labels.take(block)
        counts = counting_pairs(rows, labels, min_length_difference)
        counts |= counting_pairs(labels, rows, min_length_difference).T
        lots = torch.rand(counts.shape, generator=generator).masked_fill(~counts, -1)
        best, partner = lots.topk(min(partners, lots.shape[1]))
        prompt = block.unsqueeze(1).expand_as(partner)
        drawn.append(torch.stack([prompt, partner], dim=-1)[best >= 0])
    return torch.cat(drawn)
