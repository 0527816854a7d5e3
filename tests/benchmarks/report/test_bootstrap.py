"""How sure a figure of a queue is."""

import numpy as np
import pytest

from benchmarks.report.bootstrap import FEWEST_RESAMPLES, MOST_RESAMPLES, draw, interval, resampled


@pytest.mark.parametrize("num_requests", [1, 2, 10, 101])
def test_a_resample_draws_as_many_requests_as_there_are(num_requests: int) -> None:
    positions = draw(num_requests, np.random.default_rng(0))
    assert len(positions) == num_requests
    assert ((positions >= 0) & (positions < num_requests)).all()


def test_stretches_of_neighbours_are_drawn() -> None:
    positions = draw(100, np.random.default_rng(0))
    steps = np.diff(positions) % 100
    assert (steps == 1).sum() >= 90


def test_interval_of_independent_values_agrees_with_the_standard_error() -> None:
    values = np.random.default_rng(1).normal(5, 2, 4000)
    low, high = interval(resampled({"mean": lambda one: float(values[one].mean())}, len(values))["mean"])
    assert low < 5 < high
    assert high - low == pytest.approx(2 * 1.96 * 2 / 4000**0.5, rel=0.2)


def test_neighbours_that_share_their_fate_widen_the_interval() -> None:
    rng = np.random.default_rng(2)
    alone = rng.normal(0, 1, 4000)
    together = np.repeat(rng.normal(0, 1, 200), 20)
    widths = []
    for values in (alone, together):
        low, high = interval(resampled({"mean": lambda one, of=values: float(of[one].mean())}, 4000)["mean"])
        widths.append(high - low)
    assert widths[1] > 3 * widths[0]


@pytest.mark.parametrize(("num_requests", "resamples"), [(10, MOST_RESAMPLES), (1_000_000, FEWEST_RESAMPLES)])
def test_many_requests_take_fewer_resamples(num_requests: int, resamples: int) -> None:
    assert len(resampled({"one": lambda _one: 1.0}, num_requests)["one"]) == resamples
