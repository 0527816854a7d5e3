"""From scores to predicted tokens: isotonic blocks joined through their centres in log tokens, tails extended."""

import numpy as np
from sklearn.isotonic import isotonic_regression

from registry.artefact.calibration import Calibration
from registry.order.certain_pairs import Values

LEAST_TAIL_RISE = 0.01
"""Log tokens that a tail rises at least over the spread of the scores, so that even a useless ranker makes no ties."""

LEAST_SPREAD = 1e-6
"""Scores closer together than this are all the same."""


def fit_calibration(scores: Values, output_tokens: Values) -> Calibration:
    """Fit T on validation prompts: strictly increasing, whatever the scores are worth.

    Recorded lengths are taken as they are: near a cap that cut answers, T is too low, but its order is right.

    Plain isotonic regression is a staircase, whose steps are ties. So each block (prompts of one fitted value)
    becomes one knot at its mean score, and straight lines join the knots.
    """
    log_tokens = np.log(output_tokens)
    distinct, inverse, prompts = np.unique(scores, return_inverse=True, return_counts=True)
    fitted = isotonic_regression(np.bincount(inverse, log_tokens) / prompts, sample_weight=prompts)
    levels, blocks = np.unique(fitted, return_inverse=True)
    centres = np.bincount(blocks, distinct * prompts) / np.bincount(blocks, prompts)
    is_knot = np.concatenate([[True], np.diff(centres) > 0])
    return Calibration(
        scores=tuple(centres[is_knot].tolist()),
        log_tokens=tuple(levels[is_knot].tolist()),
        tail_slope_log_tokens=_tail_slope(scores, log_tokens),
    )


def _tail_slope(scores: Values, log_tokens: Values) -> float:
    """Slope of the straight line through all prompts, but never flat or falling."""
    spread = float(np.std(scores))
    if spread < LEAST_SPREAD:
        return 1.0
    slope = float(np.cov(scores, log_tokens, bias=True)[0, 1]) / spread**2
    return max(slope, LEAST_TAIL_RISE / spread)
