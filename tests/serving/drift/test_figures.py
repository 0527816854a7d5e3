"""What is said of answers beside their predictions."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from serving.drift.figures import figures_of, placed_tau_b, stability_index
from serving.drift.watched_answer import WatchedAnswer
from tests.serving.drift.planted_answers import LENGTHS, answers, planted, reference

CHATS = LENGTHS["chats, spread 0.9"]


def test_figures_are_those_that_a_training_reports() -> None:
    predicted, true = planted(0.6, 500, np.random.default_rng(0), CHATS)
    figures = figures_of(answers(predicted, 2 * true))
    assert figures.kendall_tau_b == pytest.approx(kendalltau(predicted, true).statistic)
    assert figures.static_gain == pytest.approx(reference(0.6).metrics["static_gain_s_per_token"], abs=0.05)
    assert figures.calibration == pytest.approx(2, rel=0.1)
    assert figures.worth == pytest.approx(500, rel=0.01)


def test_predictions_are_judged_without_the_correction_unless_asked() -> None:
    heard = [WatchedAnswer(10.0, 10.0, False), WatchedAnswer(20.0, 5.0, False, correction=0.1)]
    assert (figures_of(heard).kendall_tau_b, placed_tau_b(heard)) == (-1, 1)


def test_of_cut_answers_only_what_is_certain_counts() -> None:
    short, long, cut = (WatchedAnswer(*one) for one in ((5.0, 8.0, False), (50.0, 80.0, False), (40.0, 40.0, True)))
    figures = figures_of([short, long, cut])
    assert figures.kendall_tau_b == 1, "whether the cut one would have been longer than the long one is not known"
    assert figures_of([long, short, WatchedAnswer(1.0, 40.0, True)]).kendall_tau_b == 0, "it is longer than the short"
    assert figures.calibration > figures_of([short, long, cut._replace(is_censored=False)]).calibration


def test_places_of_requests_of_the_same_kinds_are_stable() -> None:
    card = reference(0.6)
    same, other = (answers(*planted(0.6, 500, np.random.default_rng(seed), CHATS)) for seed in (1, 2))
    assert stability_index(same, card.distribution) < 0.1
    longer = [one._replace(predicted_tokens=3 * one.predicted_tokens) for one in other]
    assert stability_index(longer, card.distribution) > 0.25
