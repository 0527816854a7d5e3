"""When requests are sent."""

import numpy as np
import pytest

from benchmarks.arrivals import ArrivalProcess, Arrivals
from registry.errors import InvalidInput


def test_burst_sends_all_at_once() -> None:
    assert set(ArrivalProcess().send_times_s(20, seed=0)) == {0.0}


@pytest.mark.parametrize(
    ("process", "cv"),
    [
        (ArrivalProcess(kind="poisson", rate_per_s=4.0), 1.0),
        (ArrivalProcess(kind="gamma", rate_per_s=4.0, gap_cv=1.0), 1.0),
        (ArrivalProcess(kind="gamma", rate_per_s=4.0, gap_cv=3.0), 3.0),
        (ArrivalProcess(kind="gamma", rate_per_s=4.0, gap_cv=0.5), 0.5),
    ],
)
def test_gaps_have_the_mean_and_spread_of_their_process(process: ArrivalProcess, cv: float) -> None:
    gaps_s = np.diff(process.send_times_s(50_000, seed=0))
    assert gaps_s.mean() == pytest.approx(0.25, rel=0.05)
    assert gaps_s.std() / gaps_s.mean() == pytest.approx(cv, rel=0.06)


def test_a_seed_draws_the_same_times_whatever_the_rate() -> None:
    process = ArrivalProcess(kind="poisson", rate_per_s=1.0)
    assert process.at(2.0).send_times_s(50, 7) == pytest.approx(process.send_times_s(50, 7) / 2)
    assert list(process.send_times_s(50, 7)) != list(process.send_times_s(50, 8))


def test_recorded_times_start_at_zero_and_keep_their_shape() -> None:
    process = ArrivalProcess(kind="recorded", recorded_s=np.array([7.0, 5.0, 5.0, 100.0, 9.0]))
    assert list(process.send_times_s(4, seed=0)) == [0.0, 0.0, 2.0, 4.0]
    assert list(process.at(1.5).send_times_s(4, seed=0)) == [0.0, 0.0, 1.0, 2.0]


def test_trace_that_is_too_short_is_refused() -> None:
    with pytest.raises(InvalidInput, match="has 1 for 2"):
        ArrivalProcess(kind="recorded", recorded_s=np.zeros(1)).send_times_s(2, seed=0)


def test_trace_without_any_duration_is_a_burst() -> None:
    process = ArrivalProcess(kind="recorded", rate_per_s=3.0, recorded_s=np.full(3, 8.0))
    assert list(process.send_times_s(3, seed=0)) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("rate_per_s", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("kind", ["poisson", "gamma"])
def test_a_process_needs_a_rate(kind: Arrivals, rate_per_s: float) -> None:
    with pytest.raises(InvalidInput, match="rate above 0"):
        ArrivalProcess(kind=kind, rate_per_s=rate_per_s)


def test_gamma_needs_a_spread() -> None:
    with pytest.raises(InvalidInput, match="gap_cv must be above 0, but got 0"):
        ArrivalProcess(kind="gamma", rate_per_s=1.0, gap_cv=0.0)


def test_recorded_arrivals_need_a_trace() -> None:
    with pytest.raises(InvalidInput, match="trace=FILE"):
        ArrivalProcess(kind="recorded")


def test_unknown_arrivals_list_the_choices() -> None:
    unknown: Arrivals = "weibull"  # type: ignore[assignment]
    with pytest.raises(InvalidInput, match=r"burst, poisson, gamma, recorded, but got 'weibull'"):
        ArrivalProcess(kind=unknown)
