"""The promise about who may overtake whom."""

import time
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from serving.arrival_clock import ArrivalClock, since_boot_us
from serving.ranking.priority import MICROSECONDS, priority

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


class Times:
    """A wall clock that anybody may set, and a clock that only goes on."""

    def __init__(self, wall_us: int, elapsed_us: int) -> None:
        self.wall_us = wall_us
        self.elapsed_us = elapsed_us

    def pass_by(self, passed_us: int, set_by_us: int) -> None:
        """Time passes; meanwhile the wall clock is set."""
        self.elapsed_us += passed_us
        self.wall_us += passed_us + set_by_us

    def clock(self) -> ArrivalClock:
        return ArrivalClock(lambda: self.elapsed_us, lambda: self.wall_us)


days_us = st.integers(-(10**11), 10**11)
arrivals = st.lists(
    st.tuples(st.integers(0, 400 * MICROSECONDS), days_us, st.integers(0, 1), quantiles), min_size=2, max_size=12
)


@given(arrivals, patiences_s, st.integers(1, 10**12))
def test_nobody_is_overtaken_by_one_that_arrived_more_than_patience_later_whatever_the_wall_clock_does(
    arrivals: list[tuple[int, int, int, float]], patience_s: float, booted_us: int
) -> None:
    times = Times(NOW_US, booted_us)
    api_servers = [times.clock(), times.clock()]  # of one engine
    waiting: list[tuple[int, int]] = []
    for passed_us, set_by_us, server, quantile in arrivals:
        times.pass_by(passed_us, set_by_us)
        waiting.append((times.elapsed_us, priority(api_servers[server].stamp_us(), patience_s, quantile)))
    for (earlier_us, earlier), (later_us, later) in combinations(waiting, 2):
        if later_us - earlier_us > round(patience_s * MICROSECONDS) + len(arrivals):  # equal arrivals: 1 us each
            assert earlier < later


def test_an_hour_back_on_the_wall_clock_stops_no_ageing() -> None:
    times = Times(NOW_US, 5)
    clock = times.clock()
    long = priority(clock.stamp_us(), 120, 0.9)
    times.pass_by(110 * MICROSECONDS, -3600 * MICROSECONDS)
    assert priority(clock.stamp_us(), 120, 0.1) > long


def test_stamps_count_from_the_wall_clock_as_it_was_once_and_never_tie() -> None:
    times = Times(NOW_US, 5)
    clock = times.clock()
    assert [clock.stamp_us(), clock.stamp_us()] == [NOW_US, NOW_US + 1]
    times.pass_by(10, 10**9)
    assert clock.stamp_us() == NOW_US + 10


def test_the_clock_of_this_machine_counts_microseconds_that_pass() -> None:
    before = since_boot_us()
    assert 0 < before <= since_boot_us()
    assert abs(ArrivalClock().stamp_us() - time.time_ns() // 1000) < 10 * MICROSECONDS
