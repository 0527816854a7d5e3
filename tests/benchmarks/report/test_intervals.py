"""How sure a figure of a queue is: does a 95 % interval hold the truth 95 times in 100?"""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from benchmarks.report.comparison import compare
from benchmarks.report.intervals import Logarithms, Uncertainty, log_mean, log_quantile
from benchmarks.report.runs import Runs, Values, runs_of
from tests.benchmarks.report.replays import coverage, made_up

REPLAYS = 100
"""Few, so that the suite stays quick; `python -m tests.benchmarks.report.replays` makes 2,000 of each kind."""


def one_run(values: Values) -> Runs:
    """A run of one policy, its requests sent in the order in which they stand."""
    requests = len(values)
    answers = made_up(0, repeats=2, noise=0.0, policies=("pars",)).iloc[:0]
    return Runs(("pars",), 1, (np.arange(requests),), None, answers)


def half_width(values: Values) -> float:
    return Uncertainty(one_run(values), log_mean(values[None, :])).of_policy(0)


@pytest.mark.parametrize("repeats", [2, 4])
@pytest.mark.parametrize("noise", [0.0, 0.03, 0.15])
def test_intervals_hold_the_truth_as_often_as_they_say(repeats: int, noise: float) -> None:
    low, high = binom.ppf([0.001, 0.999], REPLAYS, [0.93, 0.97]) / REPLAYS
    assert low <= coverage(REPLAYS, repeats, noise) <= high


def test_a_single_run_has_the_interval_of_its_requests_alone() -> None:
    assert coverage(REPLAYS, 1, 0.0) >= binom.ppf(0.001, REPLAYS, 0.93) / REPLAYS


def test_independent_requests_have_the_interval_of_their_standard_error() -> None:
    values = np.random.default_rng(1).normal(5, 2, 4000)
    assert half_width(values) == pytest.approx(1.96 * 2 / 5 / 4000**0.5, rel=0.15)


def test_neighbours_that_share_their_fate_widen_the_interval() -> None:
    rng = np.random.default_rng(2)
    together = 10 + np.repeat(rng.normal(0, 1, 400), 10)
    assert half_width(together) > 2.5 * half_width(10 + rng.normal(0, 1, 4000))


def test_a_second_order_of_the_same_requests_is_no_new_evidence_on_them() -> None:
    rng = np.random.default_rng(3)
    values = np.exp(rng.normal(0, 1, 400))
    orders = tuple(rng.permutation(400) for _ in range(2))
    often = Runs(("pars",), 4, orders, None, one_run(values).answers)
    assert Uncertainty(often, log_mean(np.tile(values, (4, 1)))).of_policy(0) == pytest.approx(
        half_width(values), rel=0.25
    )


def test_requests_of_one_session_count_together() -> None:
    rng = np.random.default_rng(4)
    sessions = rng.permutation(np.repeat(np.arange(100), 10))
    values = np.exp(rng.normal(0, 1, 100))[sessions]
    run = one_run(values)
    together = Runs(run.policies, 1, run.orders, sessions, run.answers)
    assert Uncertainty(together, log_mean(values[None, :])).of_policy(0) > 2 * half_width(values)


def test_runs_that_differ_more_than_their_requests_explain_widen_the_interval() -> None:
    runs = runs_of(made_up(5, repeats=2, noise=0.0))
    calm = log_mean(runs.values("s_per_token"))
    moved = Logarithms(calm.of_runs + np.array([0.3, -0.3, -0.3, 0.3, 0, 0, 0, 0]), calm.influences)
    assert Uncertainty(runs, moved).of_ratio(0, 1) > 1.5 * Uncertainty(runs, calm).of_ratio(0, 1)
    assert Uncertainty(runs, moved).of_ratio(0, 0) == 0


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_quantiles_have_the_interval_of_their_standard_error(share: float) -> None:
    values = np.exp(np.random.default_rng(6).uniform(0, 1, 20_000))  # their logarithm has the density 1
    figure = log_quantile(values[None, :], share)
    assert figure.of_runs[0] == pytest.approx(share, abs=0.02)
    half = Uncertainty(one_run(values), figure).of_policy(0)
    assert half == pytest.approx(1.96 * (share * (1 - share) / 20_000) ** 0.5, rel=0.25)


@pytest.mark.parametrize("requests", [1, 2, 5])
def test_few_requests_have_an_interval_too(requests: int) -> None:
    assert np.isfinite(half_width(np.arange(1.0, requests + 1)))


@pytest.mark.parametrize("requests", range(1, 8))
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_quantiles_of_few_requests_are_told_without_dividing_by_nothing(requests: int, share: float) -> None:
    figure = log_quantile(np.geomspace(1, 2, requests)[None, :], share)
    assert np.isfinite(figure.influences).all()


def test_a_control_and_its_mirror_image_differ_on_purpose() -> None:
    answers = made_up(0, 2, noise=0.03)
    apart = answers.e2e_s.where((answers.policy != "control") | (answers["repeat"] == 0), 3 * answers.e2e_s)
    calm, mirrored = compare(answers), compare(answers.assign(e2e_s=apart))
    of_pars = calm.policy == "pars"
    pd.testing.assert_frame_equal(calm[of_pars], mirrored[of_pars])
