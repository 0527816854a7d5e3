"""`training/judging/statistics/ranker_comparison.py`."""

import numpy as np
import pytest

from registry.order.certain_pairs import Values
from training.judging.ranking_metrics import kendall_tau_b
from training.judging.statistics.ranker_comparison import Comparison, compare_rankers

RNG = np.random.default_rng(0)
TRUE = RNG.normal(size=400)


def noisy(noise: float) -> Values:
    return TRUE + noise * RNG.normal(size=len(TRUE))


def test_a_real_difference_is_told_and_equals_the_difference_of_the_taus() -> None:
    good, bad = noisy(0.3), noisy(3.0)
    (comparison,) = compare_rankers({"good": good, "bad": bad}, TRUE)
    assert comparison.difference == pytest.approx(kendall_tau_b(good, TRUE) - kendall_tau_b(bad, TRUE))
    assert 0 < comparison.low < comparison.difference < comparison.high
    assert comparison.is_real
    assert comparison.sentence.startswith("good is better than bad: ")
    (mirrored,) = compare_rankers({"bad": bad, "good": good}, TRUE)
    assert (mirrored.low, mirrored.high) == pytest.approx((-comparison.high, -comparison.low))
    assert mirrored.sentence.startswith("good is better than bad: the tau-b of bad less that of good is -")


def test_two_equally_good_rankers_cannot_be_told_apart() -> None:
    (comparison,) = compare_rankers({"a": noisy(1.0), "b": noisy(1.0)}, TRUE)
    assert comparison.low < 0 < comparison.high
    assert not comparison.is_real
    assert "a and b cannot be told apart" in comparison.sentence


def test_pairing_sees_a_small_difference_that_two_separate_intervals_hide() -> None:
    first = noisy(1.0)
    second = first + 0.25 * RNG.normal(size=len(TRUE))
    (paired,) = compare_rankers({"first": first, "second": second}, TRUE)
    unpaired = [compare_rankers({"one": one, "none": np.zeros(len(TRUE))}, TRUE)[0] for one in (first, second)]
    assert paired.high - paired.low < 0.6 * min(one.high - one.low for one in unpaired)


def test_about_one_chance_difference_in_twenty_is_called_real() -> None:
    called = [compare_rankers({"a": noisy(1.0), "b": noisy(1.0)}, TRUE)[0].is_real for _ in range(100)]
    assert sum(called) <= 15


def test_each_two_of_three_are_compared_and_one_alone_is_not() -> None:
    three = {name: noisy(1.0) for name in "abc"}
    assert [(one.first, one.second) for one in compare_rankers(three, TRUE)] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert compare_rankers({"a": TRUE}, TRUE) == []


def test_an_interval_that_ends_at_0_is_no_proof() -> None:
    assert not Comparison("a", "b", 0.1, 0.0, 0.2).is_real
    assert Comparison("a", "b", -0.1, -0.2, -0.01).is_real
