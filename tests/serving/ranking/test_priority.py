"""The promise about who may overtake whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.ranking.priority import MICROSECONDS, priority
from serving.request_stages import ArrivalClock

NOW_US = 1_790_000_000 * MICROSECONDS

arrivals_us = st.integers(min_value=1, max_value=4 * NOW_US)
gaps_us = st.integers(min_value=0, max_value=1000 * MICROSECONDS)
patiences_s = st.floats(min_value=0, max_value=1e9)
quantiles = st.floats(min_value=0, max_value=1)


@given(arrivals_us, st.integers(min_value=1, max_value=10**9), patiences_s, quantiles, quantiles)
def test_nobody_is_overtaken_by_one_that_arrived_more_than_patience_later(
    arrival_us: int, beyond_us: int, patience_s: float, first: float, second: float
) -> None:
    later_us = arrival_us + round(patience_s * MICROSECONDS) + beyond_us
    assert priority(arrival_us, patience_s, first) < priority(later_us, patience_s, second)


@given(arrivals_us, gaps_us, quantiles, quantiles)
def test_patience_zero_is_first_come_first_served_whatever_the_quantile(
    arrival_us: int, gap_us: int, first: float, second: float
) -> None:
    before, after = priority(arrival_us, 0, first), priority(arrival_us + gap_us, 0, second)
    assert (before < after) if gap_us else (before == after)


@given(arrivals_us, patiences_s, quantiles, quantiles)
def test_of_two_that_arrive_together_the_shorter_never_goes_after_the_longer(
    arrival_us: int, patience_s: float, first: float, second: float
) -> None:
    short, long = sorted((first, second))
    assert priority(arrival_us, patience_s, short) <= priority(arrival_us, patience_s, long)


@given(arrivals_us, patiences_s, quantiles)
def test_priority_fits_vllm_and_is_never_its_default_of_zero(
    arrival_us: int, patience_s: float, quantile: float
) -> None:
    assert 0 < priority(arrival_us, patience_s, quantile) < 2**63


def test_short_request_overtakes_a_long_one_that_came_before_it_within_patience() -> None:
    long = priority(NOW_US, 120, 0.9)
    assert priority(NOW_US + 60 * MICROSECONDS, 120, 0.1) < long
    assert priority(NOW_US + 100 * MICROSECONDS, 120, 0.1) > long


@pytest.mark.parametrize(
    ("clock_us", "stamps_us"),
    [([5, 6, 9], [5, 6, 9]), ([5, 5, 5], [5, 6, 7]), ([9, 3, 4, 20], [9, 10, 11, 20])],
    ids=["running", "standing still", "set back"],
)
def test_each_stamp_is_later_than_the_one_before(clock_us: list[int], stamps_us: list[int]) -> None:
    readings = iter(clock_us)
    clock = ArrivalClock(lambda: next(readings))
    assert [clock.stamp_us() for _ in clock_us] == stamps_us
