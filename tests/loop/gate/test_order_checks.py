"""What is said of two orders of the same requests: the statistics of the gate, on the truth with noise."""

import numpy as np
import pytest

from loop.gate.checks.order_checks import calibration_errors, order_checks
from registry.store import CHALLENGER
from tests.loop.gate.tries import CONFIG, alike, is_let_through, noisy_pair, requests_of, shuffled

TRIES = 20


def test_an_equally_good_challenger_passes_18_times_of_20() -> None:
    assert sum(is_let_through(*noisy_pair(700, seed)) for seed in range(TRIES)) >= 18


def test_a_shuffled_one_never_passes() -> None:
    for seed in range(5):
        requests, one, other = noisy_pair(700, seed)
        assert not is_let_through(requests, shuffled(one, seed), other)


def test_a_challenger_that_is_worse_by_more_than_the_margin_passes_seldom() -> None:
    passed = 0
    for seed in range(TRIES // 2):
        requests, one, other = noisy_pair(700, seed)
        noise = np.random.default_rng([seed, 10]).normal(0, 0.45, 700)
        passed += is_let_through(requests, alike(one.tokens["encoder"] * np.exp(noise)), other)
    assert passed <= 1


def test_without_a_champion_an_order_must_surely_be_better_than_none_and_its_figure_is_told() -> None:
    requests, one, _ = noisy_pair(700, 0)
    for scored, is_met in ((one, True), (shuffled(one, 0), False)):
        found = {finding.name: finding for finding in order_checks(CONFIG, requests, {CHALLENGER: scored}).findings}
        told = found["kendall_tau_b"]
        assert told.is_met is is_met
        assert told.measured is not None
        assert (told.measured > 0) is is_met
        assert told.bound == 0


def test_the_right_order_of_lengths_that_are_all_too_long_is_not_enough() -> None:
    requests, one, other = noisy_pair(700, 0)
    assert not is_let_through(requests, alike(one.tokens["encoder"] * 1.5), other)


def test_a_cut_answer_shows_only_that_a_prediction_is_too_short() -> None:
    requests = requests_of(np.array([100.0, 100.0, 100.0]))
    requests.is_censored[1:] = True
    errors = calibration_errors(np.array([200.0, 200.0, 50.0]), requests)
    assert errors.tolist() == pytest.approx([np.log(2), 0, np.log(2)])
