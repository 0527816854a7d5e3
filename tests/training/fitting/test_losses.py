"""`training/fitting/losses.py`: each loss against a double loop, or against torch."""

import math
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from registry.errors import InvalidInput
from tests.training.labelling import LOSSES_AND_WEIGHTINGS, any_labels, labels
from training.config import TrainingConfig
from training.fitting.losses import (
    LOSSES,
    PAIRWISE_LOSSES,
    list_mle,
    logistic,
    make_loss,
    margin_ranking,
    pointwise_l1,
)
from training.network.batches import Labels


def config(**changes: Any) -> TrainingConfig:
    return TrainingConfig(lengths=Path("log.jsonl"), target_llm="llm", **changes)


def scores_for(some: Labels, seed: int = 0) -> Tensor:
    return torch.randn(len(some.output_tokens), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def explicit_pairs(some: Labels, min_length_difference: float) -> list[tuple[int, int]]:
    tokens, is_censored = some.output_tokens.tolist(), some.is_censored.tolist()
    return [
        (i, j)
        for i, j in permutations(range(len(tokens)), 2)
        if tokens[i] > tokens[j] and tokens[i] - tokens[j] >= min_length_difference * tokens[i] and not is_censored[j]
    ]


SOME = labels([3, 9, 9, 20, 1, 14, 2, 29, 17, 5], [False, True, False, False, True, False, False, True, True, False])


@pytest.mark.parametrize("margin", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("min_length_difference", [0.0, 0.3])
def test_margin_ranking_matches_torch_over_explicit_pairs(margin: float, min_length_difference: float) -> None:
    scores, pairs = scores_for(SOME), explicit_pairs(SOME, min_length_difference)
    longer, shorter = (torch.tensor(side) for side in zip(*pairs, strict=True))
    reference = nn.MarginRankingLoss(margin=margin)(scores[longer], scores[shorter], torch.ones(len(pairs)))
    torch.testing.assert_close(margin_ranking(margin, min_length_difference)(scores, SOME), reference)


@pytest.mark.parametrize("min_length_difference", [0.0, 0.3])
def test_logistic_matches_torch_over_explicit_pairs(min_length_difference: float) -> None:
    scores, pairs = scores_for(SOME), explicit_pairs(SOME, min_length_difference)
    longer, shorter = (torch.tensor(side) for side in zip(*pairs, strict=True))
    reference = nn.SoftMarginLoss()(scores[longer] - scores[shorter], torch.ones(len(pairs)))
    torch.testing.assert_close(logistic(min_length_difference)(scores, SOME), reference)


@pytest.mark.parametrize(
    ("loss", "cost"),
    [
        (margin_ranking(1.0, 0.0, "length_gap"), lambda lead: max(0.0, 1 - lead)),
        (logistic(0.0, "length_gap"), lambda lead: math.log1p(math.exp(-lead))),
    ],
)
def test_weighting_by_gap_is_the_mean_weighted_by_log_ratio(loss: Any, cost: Any) -> None:
    scores, tokens = scores_for(SOME).tolist(), SOME.output_tokens.tolist()
    gaps = {(i, j): math.log(tokens[i] / tokens[j]) for i, j in explicit_pairs(SOME, 0.0)}
    expected = sum(gap * cost(scores[i] - scores[j]) for (i, j), gap in gaps.items()) / sum(gaps.values())
    assert float(loss(scores_for(SOME), SOME)) == pytest.approx(expected)


def test_the_right_order_by_more_than_the_margin_costs_nothing() -> None:
    loss = margin_ranking(1.0, 0.0)
    assert loss(torch.tensor([0.0, 1.5, 3.0]), labels([1, 2, 3])) == 0
    assert loss(torch.tensor([3.0, 1.5, 0.0]), labels([1, 2, 3])) > 0


@given(any_labels(max_size=8), st.integers(0, 99))
def test_list_mle_matches_the_double_loop(some: Labels, seed: int) -> None:
    scores, tokens = scores_for(some, seed).tolist(), some.output_tokens.tolist()
    ended = [index for index, is_cut in enumerate(some.is_censored.tolist()) if not is_cut]
    cost = 0.0
    for one in ended:
        at_risk = [other for other in range(len(tokens)) if tokens[other] >= tokens[one]]
        cost -= math.log(math.exp(-scores[one]) / sum(math.exp(-scores[other]) for other in at_risk))
    assert float(list_mle(scores_for(some, seed), some)) == pytest.approx(cost / max(1, len(ended)), abs=1e-9)


def test_list_mle_without_ties_is_the_likelihood_of_the_whole_order() -> None:
    # Plackett and Luce: the probabilities of all orders of the prompts sum to one.
    scores = torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64)
    costs = [3 * list_mle(scores, labels(order)) for order in permutations([1, 2, 3])]
    assert sum(math.exp(-cost) for cost in costs) == pytest.approx(1)


def test_a_censored_prompt_shows_list_mle_only_that_it_outlasted_others() -> None:
    scores = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    list_mle(scores, labels([5, 3, 9], [True, False, False])).backward()  # type: ignore[no-untyped-call]
    assert scores.grad is not None
    first, shortest, longest = scores.grad.tolist()
    assert shortest > 0  # its score shall fall
    assert first == pytest.approx(longest)  # 9 outlasted 3 as well, and nothing is known of 5 and 9


@pytest.mark.parametrize(
    ("score", "is_cut", "cost"), [(3.0, False, 1.0), (1.0, False, 1.0), (3.0, True, 0.0), (1.0, True, 1.0)]
)
def test_pointwise_l1_is_the_distance_in_log_tokens_and_one_sided_for_a_cut_answer(
    score: float, is_cut: bool, cost: float
) -> None:
    assert float(pointwise_l1(torch.tensor([score]), labels([math.exp(2)], [is_cut]))) == pytest.approx(cost)


@pytest.mark.parametrize(("name", "weighting"), LOSSES_AND_WEIGHTINGS)
@given(some=any_labels(), scale=st.sampled_from([0.0, 1.0, 1e4]))
def test_every_loss_and_its_gradient_are_finite(name: str, weighting: str, some: Labels, scale: float) -> None:
    scores = (scale * scores_for(some)).float().requires_grad_()
    loss = make_loss(config(loss=name, pair_weighting=weighting))(scores, some._replace(output_tokens=some[0].float()))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.isfinite()
    assert loss >= 0
    assert scores.grad is not None
    assert scores.grad.isfinite().all()


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_prefers_the_right_order(name: str) -> None:
    some = labels([2, 10, 60, 200], [False, False, False, True])
    right = some.output_tokens.log()
    loss = make_loss(config(loss=name))
    assert loss(right, some) < loss(right.flip(0), some)


@pytest.mark.parametrize("name", PAIRWISE_LOSSES)
@pytest.mark.parametrize("is_cut", [False, True])
def test_a_batch_without_pairs_costs_nothing_and_has_a_gradient(name: str, is_cut: bool) -> None:
    scores = torch.zeros(3, requires_grad=True)
    loss = make_loss(config(loss=name))(scores, labels([5, 50, 500] if is_cut else [5] * 3, [is_cut] * 3))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss == 0
    assert scores.grad is not None
    assert scores.grad.tolist() == [0, 0, 0]


def test_an_unknown_loss_lists_the_known() -> None:
    with pytest.raises(InvalidInput, match=f"one of {', '.join(LOSSES)}, but got 'guess'"):
        make_loss(config(loss="guess"))


@pytest.mark.parametrize("name", ["list_mle", "pointwise_l1"])
@pytest.mark.parametrize("changes", [{"pairing": "sampled"}, {"pair_weighting": "length_gap"}])
def test_what_is_said_of_pairs_needs_a_loss_of_pairs(name: str, changes: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match=f"one of {', '.join(PAIRWISE_LOSSES)}, but got '{name}'"):
        make_loss(config(loss=name, **changes))
