"""`training/fitting/pairs.py`."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.training.labelling import any_labels, labels
from training.fitting import pairs
from training.fitting.pairs import counting_pairs, pair_weights, sample_pairs
from training.network.batches import Labels


def test_a_pair_counts_once_in_the_direction_of_the_longer() -> None:
    assert pair_weights(labels([10, 2, 5]), 0.0).tolist() == [[0, 1, 1], [0, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize(("shorter", "counting"), [(7.9, 1), (8.0, 1), (8.1, 0), (10.0, 0)])
def test_the_minimum_difference_is_a_share_of_the_longer_length(shorter: float, counting: int) -> None:
    assert pair_weights(labels([10.0, shorter]), 0.2).sum() == counting


def test_equal_lengths_never_count() -> None:
    assert pair_weights(labels([7] * 4), 0.0).sum() == 0


@pytest.mark.parametrize(
    ("is_longer_cut", "is_shorter_cut", "counting"),
    [(False, False, 1), (True, False, 1), (False, True, 0), (True, True, 0)],
)
def test_a_pair_counts_only_if_the_shorter_answer_was_not_cut(
    is_longer_cut: bool, is_shorter_cut: bool, counting: int
) -> None:
    assert pair_weights(labels([10, 5], [is_longer_cut, is_shorter_cut]), 0.2).sum() == counting


def test_a_cut_answer_and_one_that_ended_at_the_same_length_do_not_count() -> None:
    assert pair_weights(labels([10, 10], [True, False]), 0.0).sum() == 0


def test_prompts_of_different_groups_are_no_pair() -> None:
    assert pair_weights(labels([10, 2, 5, 1], groups=[0, 1, 0, 1]), 0.0).nonzero().tolist() == [[0, 2], [1, 3]]


@given(any_labels(), st.floats(0, 0.99), st.lists(st.integers(0, 50), min_size=20, max_size=20))
def test_a_pair_that_counts_is_in_its_true_order_whatever_was_cut(
    some: Labels, min_length_difference: float, beyond: list[int]
) -> None:
    true = some.output_tokens + torch.tensor(beyond[: len(some.output_tokens)]) * some.is_censored
    for longer, shorter in pair_weights(some, min_length_difference).nonzero().tolist():
        assert true[longer] > true[shorter]
        assert true[longer] - true[shorter] >= min_length_difference * true[longer] - 1e-9


def test_pairs_of_a_larger_gap_weigh_more_and_one_on_average() -> None:
    weights = pair_weights(labels([2, 4, 16]), 0.0, "length_gap")
    gaps = {(1, 0): math.log(2), (2, 1): math.log(4), (2, 0): math.log(8)}
    mean = sum(gaps.values()) / 3
    for (longer, shorter), gap in gaps.items():
        assert weights[longer, shorter] == pytest.approx(gap / mean)
    assert weights.sum() == pytest.approx(3)


@given(any_labels(), st.floats(0, 0.99))
def test_weighting_by_gap_keeps_the_total_and_counts_the_same_pairs(some: Labels, min_length_difference: float) -> None:
    plain, weighted = (pair_weights(some, min_length_difference, one) for one in ("none", "length_gap"))
    torch.testing.assert_close(weighted.sum(), plain.sum())
    assert ((weighted > 0) == (plain > 0)).all()


@given(any_labels(), st.integers(1, 5), st.floats(0, 0.9), st.integers(0, 3))
def test_each_prompt_draws_different_partners_with_which_it_counts_as_many_as_there_are(
    some: Labels, partners: int, min_length_difference: float, seed: int
) -> None:
    counts = counting_pairs(some, some, min_length_difference)
    counts |= counts.T.clone()
    drawn = [tuple(pair) for pair in sample_pairs(some, partners, min_length_difference, seed).tolist()]
    assert len(set(drawn)) == len(drawn)
    assert all(counts[pair] for pair in drawn)
    assert [len([pair for pair in drawn if pair[0] == prompt]) for prompt in range(len(counts))] == [
        min(partners, int(row.sum())) for row in counts
    ]


def test_the_seed_decides_the_partners() -> None:
    some = labels(range(1, 41))
    assert sample_pairs(some, 3, 0.2, 0).tolist() == sample_pairs(some, 3, 0.2, 0).tolist()
    assert sample_pairs(some, 3, 0.2, 0).tolist() != sample_pairs(some, 3, 0.2, 1).tolist()


def test_partners_are_drawn_evenly_and_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "ROWS_IN_A_BLOCK", 7)
    some = labels([1] * 20 + [100] * 20)
    times = sum((sample_pairs(some, 2, 0.2, seed)[:, 1].bincount(minlength=40) for seed in range(100)), torch.zeros(40))
    assert times.sum() == 100 * 40 * 2
    assert times.min() > 140  # 200 expected each, with a standard deviation of 13
    assert times.max() < 260
