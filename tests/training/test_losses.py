"""`training/losses.py`."""

from itertools import permutations
from pathlib import Path

import pytest
import torch
from torch import nn

from training.config import TrainingConfig, TrainingError
from training.losses import make_loss, margin_ranking


@pytest.mark.parametrize("margin", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("min_length_difference", [0.0, 0.3])
def test_margin_ranking_matches_torch_over_explicit_pairs(margin: float, min_length_difference: float) -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(12, generator=generator)
    lengths = torch.randint(1, 30, (12,), generator=generator).float()
    pairs = [
        (i, j)
        for i, j in permutations(range(12), 2)
        if lengths[i] > lengths[j] and lengths[i] - lengths[j] >= min_length_difference * lengths[i]
    ]
    longer, shorter = (torch.tensor(side) for side in zip(*pairs, strict=True))
    reference = nn.MarginRankingLoss(margin=margin)(scores[longer], scores[shorter], torch.ones(len(pairs)))
    torch.testing.assert_close(margin_ranking(margin, min_length_difference)(scores, lengths), reference)


def test_the_right_order_by_more_than_the_margin_costs_nothing() -> None:
    loss = margin_ranking(1.0, 0.0)
    lengths = torch.tensor([1.0, 2.0, 3.0])
    assert loss(torch.tensor([0.0, 1.5, 3.0]), lengths) == 0
    assert loss(torch.tensor([3.0, 1.5, 0.0]), lengths) > 0


def test_a_batch_without_pairs_costs_nothing_and_has_a_gradient() -> None:
    scores = torch.zeros(3, requires_grad=True)
    loss = margin_ranking(1.0, 0.0)(scores, torch.full((3,), 5.0))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss == 0
    assert scores.grad is not None
    assert scores.grad.tolist() == [0, 0, 0]


def test_an_unknown_loss_lists_the_known() -> None:
    config = TrainingConfig(lengths=Path("log.jsonl"), target_llm="llm", loss="guessing")
    with pytest.raises(TrainingError, match="one of margin_ranking, but got 'guessing'"):
        make_loss(config)
