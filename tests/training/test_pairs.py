"""`training/pairs.py`."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training.pairs import pair_weights


def test_a_pair_counts_once_in_the_direction_of_the_longer() -> None:
    assert pair_weights(torch.tensor([10.0, 2.0, 5.0]), 0.0).tolist() == [[0, 1, 1], [0, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize(("shorter", "counting"), [(7.9, 1), (8.0, 1), (8.1, 0), (10.0, 0)])
def test_the_minimum_difference_is_a_share_of_the_longer_length(shorter: float, counting: int) -> None:
    assert pair_weights(torch.tensor([10.0, shorter], dtype=torch.float64), 0.2).sum() == counting


def test_equal_lengths_never_count() -> None:
    assert pair_weights(torch.full((4,), 7.0), 0.0).sum() == 0


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=20), st.floats(0, 0.99))
def test_no_pair_counts_both_ways(lengths: list[int], min_length_difference: float) -> None:
    weights = pair_weights(torch.tensor([float(one) for one in lengths]), min_length_difference)
    assert (weights * weights.T).sum() == 0
