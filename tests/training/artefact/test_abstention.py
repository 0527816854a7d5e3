"""`training/artefact/abstention.py`: which pairs are told apart, and how well."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.artefact.abstention import accuracy_by_coverage, band_width

PREDICTED = np.exp(np.array([0.0, 1.0, 3.0, 7.0]))  # gaps 1, 2, 3, 4, 6, 7


@pytest.mark.parametrize("width", [0.5, 1.5, 3.5, 6.5])
def test_a_share_of_the_pairs_lies_further_apart_than_the_band(width: float) -> None:
    coverage = np.mean([gap > width for gap in (1, 2, 3, 4, 6, 7)])
    found = band_width(PREDICTED, float(coverage))
    assert np.mean([gap >= found for gap in (1, 2, 3, 4, 6, 7)]) == pytest.approx(coverage, abs=1 / 6)


def test_full_coverage_has_no_band() -> None:
    assert band_width(PREDICTED, 1.0) == 0


@given(st.floats(0.01, 1), st.floats(0.01, 1))
def test_less_coverage_never_means_a_narrower_band(one: float, other: float) -> None:
    assert band_width(PREDICTED, min(one, other)) >= band_width(PREDICTED, max(one, other))


def test_accuracy_is_that_of_the_surest_pairs() -> None:
    # Only the pair of the smallest gap is in the wrong order.
    true = np.array([2.0, 1.0, 3.0, 4.0])
    assert accuracy_by_coverage(PREDICTED, true, (0.5, 5 / 6, 1.0), np.zeros(4, dtype=bool)) == pytest.approx(
        [1, 1, 5 / 6]
    )


def test_a_predicted_tie_is_half_right_and_equal_lengths_are_no_pair() -> None:
    none_cut = np.zeros(3, dtype=bool)
    assert accuracy_by_coverage(np.array([5.0, 5.0, 9.0]), np.array([1.0, 2.0, 2.0]), (1.0,), none_cut) == [0.75]


def test_a_pair_whose_shorter_answer_was_cut_does_not_count() -> None:
    predicted, true = np.array([9.0, 5.0, 7.0]), np.array([1.0, 2.0, 3.0])
    # Left are 2 before 3 (right) and, cut, 1 before the others (wrong twice).
    assert accuracy_by_coverage(predicted, true, (1.0,), np.array([True, False, False])) == [1.0]
