"""Score -> predicted tokens: strictly increasing all the way."""

from itertools import pairwise
from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from registry.artefact.calibration import Calibration

CALIBRATION = Calibration(scores=(-1.0, 0.0, 2.0), log_tokens=(1.0, 3.0, 4.0), tail_slope_log_tokens=0.5)


def test_calibration_joins_its_knots_and_extends_its_tails() -> None:
    logs = [np.log(CALIBRATION.predicted_tokens(score)) for score in (-3, -1, -0.5, 0, 1, 2, 4)]
    assert logs == pytest.approx([0.0, 1.0, 2.0, 3.0, 3.5, 4.0, 5.0])


def test_one_knot_is_enough() -> None:
    flat = Calibration(scores=(0.0,), log_tokens=(3.0,), tail_slope_log_tokens=1e-3)
    assert flat.predicted_tokens(0) == pytest.approx(exp(3))
    assert flat.predicted_tokens(-1) < flat.predicted_tokens(0) < flat.predicted_tokens(1)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=20))
def test_higher_score_never_means_shorter(scores: list[float]) -> None:
    tokens = [CALIBRATION.predicted_tokens(score) for score in sorted(scores)]
    assert all(shorter <= longer for shorter, longer in pairwise(tokens))


def test_absurd_scores_stay_finite() -> None:
    assert 0 < CALIBRATION.predicted_tokens(-1e300) < CALIBRATION.predicted_tokens(1e300) < float("inf")


@pytest.mark.parametrize(
    ("scores", "log_tokens", "slope"),
    [((), (), 1.0), ((0.0,), (0.0, 1.0), 1.0), ((0.0, 0.0), (0.0, 1.0), 1.0), ((0.0, 1.0), (1.0, 0.0), 1.0)]
    + [((0.0,), (0.0,), slope) for slope in (0.0, -1.0, float("nan"))],
)
def test_a_calibration_that_does_not_increase_is_refused(
    scores: tuple[float, ...], log_tokens: tuple[float, ...], slope: float
) -> None:
    with pytest.raises(ValidationError):
        Calibration(scores=scores, log_tokens=log_tokens, tail_slope_log_tokens=slope)
