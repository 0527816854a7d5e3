"""`registry/order/static_gain.py`."""

from itertools import combinations, pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from registry.order.certain_pairs import Flags, Values
from registry.order.static_gain import (
    STATIC_GAIN_E2E,
    STATIC_GAIN_S_PER_TOKEN,
    resampled_static_gains,
    static_gains,
)

FEW_LENGTHS = nps.arrays(np.float64, st.integers(2, 6), elements=st.integers(1, 9).map(float))
LENGTHS = nps.arrays(np.float64, st.integers(2, 40), elements=st.integers(1, 30).map(float))


@given(FEW_LENGTHS, st.integers(0, 99))
def test_it_is_the_share_of_the_oracles_gain_in_a_queue_that_is_served_in_every_order(true: Values, seed: int) -> None:
    predicted = np.random.default_rng(seed).integers(0, 4, len(true)).astype(float)
    anyhow, oracle, ranked = (_mean_times(true, scores) for scores in (np.zeros(len(true)), true, predicted))
    expected = [
        (chance - own) / (chance - best) if not np.isclose(chance, best) else 0.0
        for chance, own, best in zip(anyhow, ranked, oracle, strict=True)
    ]
    found = static_gains(predicted, true)
    assert [found[STATIC_GAIN_S_PER_TOKEN], found[STATIC_GAIN_E2E]] == pytest.approx(expected)


@given(LENGTHS, st.integers(0, 99))
def test_of_cut_answers_only_pairs_whose_order_is_certain_count(true: Values, seed: int) -> None:
    rng = np.random.default_rng(seed)
    predicted, is_cut = rng.integers(0, 9, len(true)).astype(float), rng.random(len(true)) < 0.4
    found = static_gains(predicted, true, is_cut)
    assert list(found.values()) == pytest.approx(_shares_by_pairs(predicted, true, is_cut))


def test_a_longer_answer_that_was_cut_by_one_cap_or_another_is_no_evidence_against_a_ranker() -> None:
    true, is_cut = np.array([10.0, 50.0, 80.0, 90.0]), np.array([False, True, True, False])
    # Where the cut ones really end nobody knows, so it may well be after 90.
    assert static_gains(np.array([10.0, 300.0, 200.0, 90.0]), true, is_cut) == static_gains(true, true, is_cut)


@given(LENGTHS, st.integers(0, 99))
def test_a_resample_counts_a_prompt_as_often_as_it_was_drawn(true: Values, seed: int) -> None:
    rng = np.random.default_rng(seed)
    predicted, is_cut = rng.integers(0, 9, len(true)).astype(float), rng.random(len(true)) < 0.4
    draws = rng.integers(0, len(true), (3, len(true)))
    found = resampled_static_gains(predicted, true, is_cut, draws)
    for number, draw in enumerate(draws):
        expected = static_gains(predicted[draw], true[draw], is_cut[draw])
        assert {name: one[number] for name, one in found.items()} == pytest.approx(expected)


def test_resamples_that_do_not_fit_the_memory_together_are_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(1, 99, 50).astype(float), rng.random(50)
    draws = rng.integers(0, 50, (7, 50))
    whole = resampled_static_gains(predicted, true, None, draws)
    monkeypatch.setattr("registry.order.static_gain.CELLS_AT_ONCE", 100)
    parts = resampled_static_gains(predicted, true, None, draws)
    assert all(parts[name].tolist() == pytest.approx(one.tolist()) for name, one in whole.items())


def test_an_order_of_equal_lengths_gains_nothing() -> None:
    assert set(static_gains(np.array([1.0, 2.0]), np.array([5.0, 5.0])).values()) == {0.0}


def _mean_times(true: Values, scores: Values) -> tuple[float, float]:
    """Mean completion ÷ own tokens and mean completion, over all orders of service that keep to the scores."""
    orders = [one for one in permutations(range(len(true))) if all(scores[a] <= scores[b] for a, b in pairwise(one))]
    served = [np.array(order) for order in orders]
    completions = np.array([np.cumsum(true[order])[np.argsort(order)] for order in served])
    return float((completions / true).mean()), float(completions.mean())


def _shares_by_pairs(predicted: Values, true: Values, is_cut: Flags) -> tuple[float, float]:
    gains, limits = np.zeros(2), np.zeros(2)
    for one, other in combinations(range(len(true)), 2):
        shorter, longer = (one, other) if true[one] < true[other] else (other, one)
        if is_cut[shorter]:
            continue
        ratio = true[longer] / true[shorter]
        weights = np.array([(ratio - 1 / ratio) / 2, (true[longer] - true[shorter]) / 2])
        gains += weights * np.sign(predicted[longer] - predicted[shorter])
        limits += weights
    return tuple(np.divide(gains, limits, out=np.zeros(2), where=limits > 0).tolist())
