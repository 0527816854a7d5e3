"""`serving/correction/censored_mean.py`: a mean that does not mind that short answers finish first."""

from collections.abc import Sequence
from math import log

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import truncnorm

from serving.correction.censored_mean import SPREAD, FadingSum, expected_above, shrunken_mean


def seen(values: npt.NDArray[np.float64], keep: float = 1.0) -> FadingSum:
    fading = FadingSum()
    for value in values:
        fading.fade(keep)
        fading.add(float(value))
    return fading


def above(bounds: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    """Answers that run, each of full weight."""
    return bounds, [1.0] * len(bounds)


def test_without_a_prior_and_with_all_finished_it_is_the_mean() -> None:
    values = np.array([0.1, -0.4, 0.9])
    assert shrunken_mean(seen(values), [], [], 5.0, 0.0) == pytest.approx(values.mean())


def test_few_answers_leave_it_near_the_prior() -> None:
    assert shrunken_mean(seen(np.array([1.0])), [], [], 0.2, 3.0) == pytest.approx((1.0 + 3 * 0.2) / 4)
    assert shrunken_mean(FadingSum(), [], [], 0.2, 3.0) == pytest.approx(0.2)


def test_old_answers_fade() -> None:
    faded = seen(np.array([1.0] * 100 + [0.0] * 30), keep=0.5 ** (1 / 15))
    assert faded.total / faded.weight == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("bound", [-3.0, -0.5, 0.0, 0.7, 2.0, 4.0, 5.0])
def test_what_lies_above_a_bound_is_expected_where_scipy_says(bound: float) -> None:
    truncated = truncnorm(a=(bound - 0.1) / SPREAD, b=np.inf, loc=0.1, scale=SPREAD)
    assert expected_above(bound, 0.1) == pytest.approx(truncated.mean(), rel=0.01)


@pytest.mark.parametrize("spread", [0.5, 0.7, 0.9])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_in_a_burst_the_plain_mean_is_too_low_and_this_one_is_not(spread: float, share: float) -> None:
    """All begin together and grow alike; a share of them is finished. Another spread than the assumed costs some."""
    true = log(1.2)
    plain, censored = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        predicted = rng.lognormal(5, 1, 300)
        lengths = predicted * rng.lognormal(true, spread, 300)
        now = np.quantile(lengths, share)
        is_over = lengths <= now
        finished = np.log(lengths / predicted)[is_over]
        running = np.log(now / predicted)[~is_over]
        plain.append(finished.mean())
        censored.append(shrunken_mean(seen(finished), *above(running.tolist()), 0.0, 3.0))
    too_low = true - np.mean(plain)
    assert too_low > 0.14
    assert abs(np.mean(censored) - true) < (0.03 if spread == SPREAD else too_low / 2)


def test_long_answers_that_run_are_evidence_though_none_has_finished() -> None:
    assert shrunken_mean(FadingSum(), *above([log(4)] * 16), 0.0, 3.0) > log(2.5)
    assert shrunken_mean(FadingSum(), *above([log(0.05)] * 16), 0.0, 3.0) == pytest.approx(0.0, abs=0.01)
