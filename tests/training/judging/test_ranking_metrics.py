"""`training/judging/ranking_metrics.py`."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from scipy.stats import kendalltau

from registry.order.certain_pairs import Flags, Values
from training.judging import ranking_metrics as metrics
from training.judging.ranking_metrics import (
    kendall_tau_b,
    kendall_tau_b_interval,
    pair_accuracy,
    pair_accuracy_by_length_ratio,
)

SMALL_WHOLE_NUMBERS = nps.arrays(np.float64, st.integers(2, 25), elements=st.integers(1, 9).map(float))


@given(SMALL_WHOLE_NUMBERS, st.integers(0, 99))
def test_tau_matches_scipy(true: Values, seed: int) -> None:
    predicted = np.random.default_rng(seed).integers(0, 9, len(true)).astype(float)
    expected = kendalltau(predicted, true).statistic
    assert kendall_tau_b(predicted, true) == pytest.approx(0.0 if np.isnan(expected) else expected)


def test_tau_of_the_right_and_the_wrong_order() -> None:
    true = np.array([1.0, 5.0, 9.0])
    assert kendall_tau_b(true * 2, true) == pytest.approx(1)
    assert kendall_tau_b(-true, true) == pytest.approx(-1)


def test_a_constant_prediction_orders_nothing() -> None:
    true = np.array([1.0, 5.0, 9.0])
    assert kendall_tau_b(np.zeros(3), true) == 0
    assert pair_accuracy(np.zeros(3), true) == 0.5


def test_the_interval_holds_the_tau_and_narrows_with_more_prompts() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for num_prompts in (100, 2000):
        true = rng.normal(size=num_prompts)
        predicted = true + rng.normal(size=num_prompts)
        low, high = kendall_tau_b_interval(predicted, true)
        assert low < kendall_tau_b(predicted, true) < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 3


@given(SMALL_WHOLE_NUMBERS, st.integers(0, 99))
def test_pair_accuracy_matches_counting(true: Values, seed: int) -> None:
    predicted = np.random.default_rng(seed).integers(0, 9, len(true)).astype(float)
    assert pair_accuracy(predicted, true) == pytest.approx(_counted(predicted, true, 1, np.inf), nan_ok=True)


@given(SMALL_WHOLE_NUMBERS, st.integers(0, 99))
def test_pair_accuracy_counts_only_pairs_whose_shorter_answer_ended(true: Values, seed: int) -> None:
    rng = np.random.default_rng(seed)
    predicted, is_censored = rng.integers(0, 9, len(true)).astype(float), rng.random(len(true)) < 0.4
    expected = _counted(predicted, true, 1, np.inf, is_censored)
    assert pair_accuracy(predicted, true, is_censored) == pytest.approx(expected, nan_ok=True)


def test_a_rankers_metrics_count_no_pair_whose_shorter_answer_was_cut() -> None:
    predicted, true, is_censored = np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0]), np.array([True, False, False])
    assert metrics.ranking_metrics(predicted, true, is_censored=is_censored)["pair_accuracy"] == 1
    assert metrics.ranking_metrics(predicted, true)["pair_accuracy"] == pytest.approx(1 / 3)


def test_tau_of_answers_cut_by_one_cap_asks_nothing_of_the_order_among_them() -> None:
    recorded = np.array([2.0, 5.0, 8.0, 8.0, 8.0])  # the last three were cut at 8
    orders = [np.array([1.0, 2.0, *cut]) for cut in ((3.0, 4.0, 5.0), (5.0, 3.0, 4.0))]
    assert kendall_tau_b(orders[0], recorded) == kendall_tau_b(orders[1], recorded)


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(1, 6), st.booleans()), min_size=2, max_size=30),
    st.sampled_from([1.0, 1e-9, 1e12]),
)
def test_pair_accuracy_matches_counting_with_ties_and_cuts_on_any_scale(
    prompts: list[tuple[int, int, bool]], scale: float
) -> None:
    predicted, true, is_censored = (np.array(one) for one in zip(*prompts, strict=True))
    expected = _counted(predicted, true, 1, np.inf, is_censored)
    assert pair_accuracy(predicted * scale, true * scale, is_censored) == pytest.approx(
        expected, nan_ok=True, abs=1e-12
    )


def test_pair_accuracy_of_many_prompts_is_exact() -> None:
    rng = np.random.default_rng(2)
    true, is_censored = rng.integers(1, 800, 3000).astype(float), rng.random(3000) < 0.3
    predicted = true + rng.normal(0, 200, 3000).round()
    places = 2 * true + is_censored
    is_pair = (places[:, None] < places[None, :]) & ~is_censored[:, None]
    rightness = (np.sign(predicted[None, :] - predicted[:, None])[is_pair] + 1) / 2
    assert pair_accuracy(predicted, true, is_censored) == pytest.approx(rightness.mean(), abs=1e-14)


def test_bins_by_ratio_match_counting_and_include_their_lower_edge() -> None:
    rng = np.random.default_rng(1)
    true, predicted = rng.integers(1, 30, 40).astype(float), rng.integers(0, 9, 40).astype(float)
    edges = (1.0, 1.5, 2.0, 5.0)
    expected = [_counted(predicted, true, *one) for one in ((1.0, 1.5), (1.5, 2.0), (2.0, 5.0))]
    assert pair_accuracy_by_length_ratio(predicted, true, edges) == pytest.approx(expected)


def test_an_empty_bin_is_not_a_number() -> None:
    assert np.isnan(pair_accuracy_by_length_ratio(np.array([0.0, 1.0]), np.array([1.0, 2.0]), (5.0, 9.0))[0])


@pytest.mark.parametrize(
    ("predicted", "true", "told"),
    [([1.0], [1.0], "at least 2"), ([1.0, 2.0], [1.0], "as many"), ([1.0, np.nan], [1.0, 2.0], "finite")],
)
def test_what_cannot_be_ranked_is_refused(predicted: list[float], true: list[float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        kendall_tau_b(np.array(predicted), np.array(true))


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        ([False, False, False], -1 / 3),  # of three pairs the last one is in the right order
        ([True, False, False], 1),  # of the first answer nobody knows whether it is the shorter: one pair is left
        ([False, True, True], -1),  # the order of two cut answers is not known
        ([False, False, True], -1 / 3),  # the longest one being longer still changes nothing
    ],
)
def test_tau_counts_only_pairs_of_certain_order(cut: list[bool], expected: float) -> None:
    predicted, true = np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])
    assert kendall_tau_b(predicted, true, np.array(cut)) == pytest.approx(expected)
    assert metrics.ranking_metrics(predicted, true, np.array(cut))["kendall_tau_b"] == pytest.approx(expected)


def test_a_cut_answer_is_longer_than_one_that_ended_at_the_same_length() -> None:
    true, is_cut = np.array([5.0, 5.0]), np.array([False, True])
    assert kendall_tau_b(np.array([1.0, 2.0]), true, is_cut) == 1
    assert kendall_tau_b(np.array([2.0, 1.0]), true, is_cut) == -1
    assert pair_accuracy(np.array([1.0, 2.0]), true, is_cut) == 1


def test_a_ranker_that_knows_what_was_cut_is_not_punished_for_it() -> None:
    rng = np.random.default_rng(3)
    true = rng.lognormal(4, 1, 400)
    cap = rng.choice([40.0, 80.0, 400.0], 400)
    recorded, is_cut = np.minimum(true, cap), true > cap
    assert kendall_tau_b(true, recorded, is_cut) == pytest.approx(1)
    assert kendall_tau_b(true, recorded) < 0.8
    low, high = kendall_tau_b_interval(true, recorded, is_cut)
    assert low == pytest.approx(1) == high


def _is_certain(one: float, is_one_cut: bool, other: float, is_other_cut: bool) -> bool:
    if is_one_cut and is_other_cut:
        return False
    if is_one_cut or is_other_cut:
        return one >= other if is_one_cut else other >= one
    return one != other


def _sign(one: float, is_one_cut: bool, other: float, is_other_cut: bool) -> float:
    return float(np.sign(one - other)) or float(is_one_cut) - float(is_other_cut)


def _counted(predicted: Values, true: Values, low: float, high: float, is_censored: Flags | None = None) -> float:
    is_cut = np.zeros(len(true), dtype=np.bool_) if is_censored is None else is_censored
    rightness = [
        (np.sign(predicted[i] - predicted[j]) * _sign(true[i], is_cut[i], true[j], is_cut[j]) + 1) / 2
        for i, j in combinations(range(len(true)), 2)
        if _is_certain(true[i], is_cut[i], true[j], is_cut[j])
        and low <= max(true[i], true[j]) / min(true[i], true[j]) < high
    ]
    return float(np.mean(rightness)) if rightness else float("nan")
