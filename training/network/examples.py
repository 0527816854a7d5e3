"""What a network is fitted to: requests, and the lengths of the answers of one target LLM, or of several."""

from collections.abc import Iterator, Mapping, Sequence
from math import nan
from typing import NamedTuple

import torch
from torch import Tensor

from registry.request_features import RequestView
from traffic.labelled_prompts import LabelledPrompts
from training.network.batches import Labels, labels_of


class Examples(NamedTuple):
    """Distinct requests and what is known of their answers."""

    views: Sequence[RequestView]
    labels: Labels
    """Of several target LLMs, lengths and whether they are censored are [prompts, targets]; NaN where one has not
    answered."""
    targets: Sequence[str] = ()
    """Names of the columns; none where there is one target LLM."""


def examples_of(labelled: LabelledPrompts) -> Examples:
    """Of one target LLM."""
    return Examples(labelled.views, labels_of(labelled))


def joined(parts: Mapping[str, LabelledPrompts]) -> Examples:
    """Of several, by their names: a request that many have answered is one example, and read once for all."""
    row_of: dict[RequestView, int] = {}
    for part in parts.values():
        for view in part.views:
            row_of.setdefault(view, len(row_of))
    output_tokens = torch.full((len(row_of), len(parts)), nan)
    is_censored = torch.zeros((len(row_of), len(parts)), dtype=torch.bool)
    for column, part in enumerate(parts.values()):
        rows = torch.tensor([row_of[view] for view in part.views])
        labels = labels_of(part)
        output_tokens[rows, column], is_censored[rows, column] = labels.output_tokens, labels.is_censored
    return Examples([*row_of], Labels(output_tokens, is_censored, torch.zeros(len(row_of)).long()), tuple(parts))


def by_target(scores: Tensor, labels: Labels) -> Iterator[tuple[int, Tensor, Labels]]:
    """Of each target LLM with an answer its column, and the scores and labels of the prompts that it has answered."""
    for column, (tokens, is_censored) in enumerate(zip(labels.output_tokens.T, labels.is_censored.T, strict=True)):
        known = ~tokens.isnan()
        if known.any():
            yield column, scores[known, column], Labels(tokens[known], is_censored[known], labels.groups[known])
