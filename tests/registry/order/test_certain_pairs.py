"""`registry/order/certain_pairs.py`, held against counting pair by pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.order.certain_pairs import Flags, Places, Values, certain_pairs

PROMPTS = st.lists(
    st.tuples(st.integers(-3, 3), st.integers(1, 6), st.booleans(), st.integers(0, 2)), min_size=1, max_size=30
)


@given(PROMPTS, st.booleans())
def test_counts_are_those_of_each_pair(prompts: list[tuple[int, int, bool, int]], has_groups: bool) -> None:
    scores, lengths, cut, group = (np.array(one) for one in zip(*prompts, strict=True))
    predicted, true, groups = 0.1 * scores, 10.0 * lengths, group if has_groups else np.zeros_like(group)
    found = certain_pairs(predicted, true, cut, groups if has_groups else None)
    np.testing.assert_array_equal(np.array(found), counted(predicted, true, cut, groups))


def test_whole_counts_each_pair_once() -> None:
    pairs = certain_pairs(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0]), np.zeros(3, dtype=np.bool_)).whole()
    assert [one.tolist() for one in pairs] == [[1.0], [3.0], [3.0]]
    assert pairs.tau_b.tolist() == [pytest.approx(1 / 3)]
    assert pairs.accuracy.tolist() == [pytest.approx(2 / 3)]


def counted(predicted: Values, true: Values, cut: Flags, groups: Places) -> Values:
    counts = np.zeros((3, len(true)))
    for one in range(len(true)):
        for other in range(len(true)):
            if one == other or groups[one] != groups[other]:
                continue
            order = certain_order(true[one], cut[one], true[other], cut[other])
            if order is not None:
                given_order = np.sign(predicted[one] - predicted[other])
                counts[:, one] += order * given_order, given_order != 0, order != 0
    return counts


def certain_order(one: float, is_one_cut: bool, other: float, is_other_cut: bool) -> float | None:
    """1 where the first is longer, 0 where both are as long, -1 where it is shorter; None where nobody knows."""
    if not is_one_cut and not is_other_cut:
        return float(np.sign(one - other))
    if is_one_cut and not is_other_cut and one >= other:
        return 1.0
    return -1.0 if is_other_cut and not is_one_cut and other >= one else None
