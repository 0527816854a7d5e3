"""`training/artefact/calibrate.py`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.artefact.calibrate import fit_calibration
from training.judging.ranking_metrics import kendall_tau_b

RNG = np.random.default_rng(0)


def test_a_good_ranker_predicts_about_the_true_lengths() -> None:
    log_tokens = RNG.uniform(1, 5, 2000)
    calibration = fit_calibration(3 * log_tokens - 7, np.exp(log_tokens + RNG.normal(0, 0.1, 2000)))
    for log_length in (1.5, 3.0, 4.5):
        assert calibration.predicted_tokens(3 * log_length - 7) == pytest.approx(np.exp(log_length), rel=0.15)


@pytest.mark.parametrize("sign", [1.0, 0.0, -1.0])
def test_predictions_strictly_increase_even_for_a_useless_ranker(sign: float) -> None:
    tokens = RNG.lognormal(3, 1, 500)
    scores = sign * np.log(tokens) + RNG.normal(0, 0.5, 500)
    calibration = fit_calibration(scores, tokens)
    grid = np.linspace(scores.min() - 5, scores.max() + 5, 300)
    predicted = [calibration.predicted_tokens(score) for score in grid]
    assert (np.diff(predicted) > 0).all()


def test_calibration_keeps_the_order_of_the_scores() -> None:
    tokens = RNG.lognormal(3, 1, 300)
    scores = np.log(tokens) + RNG.normal(0, 1, 300)
    calibration = fit_calibration(scores, tokens)
    predicted = np.array([calibration.predicted_tokens(score) for score in scores])
    assert kendall_tau_b(predicted, scores) == pytest.approx(1)


@given(
    st.lists(st.tuples(st.floats(-50, 50, width=32), st.integers(1, 4000)), min_size=2, max_size=40),
)
def test_any_scores_and_lengths_can_be_calibrated(rows: list[tuple[float, int]]) -> None:
    scores, tokens = (np.array(side, dtype=np.float64) for side in zip(*rows, strict=True))
    calibration = fit_calibration(scores, tokens)
    assert 0 < calibration.predicted_tokens(float(scores.min())) <= calibration.predicted_tokens(float(scores.max()))
