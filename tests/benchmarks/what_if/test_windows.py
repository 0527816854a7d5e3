"""Which stretches of a log are simulated."""

from itertools import pairwise

import numpy as np
import pytest

from benchmarks.what_if.windows import MOST_WINDOWS, Demand, busiest_window, windows_of_all
from tests.benchmarks.what_if.busy_days import DAY_S, BusyDays

WORK_S = 0.05
"""An engine that gets through 20 requests a second."""


def demand(arrival_s: np.ndarray, work_s: float = WORK_S) -> Demand:
    return Demand.of(arrival_s, np.full(len(arrival_s), work_s))


@pytest.fixture(scope="module")
def busy_days() -> Demand:
    """Eight days with 1 % of the requests in a peak of four minutes on day five, for an engine with room otherwise."""
    days = BusyDays(rows=50_000)
    return demand(days.frame().arrival_s.to_numpy(), work_s=1.0)


def test_backlog_is_what_a_single_server_still_has_to_do() -> None:
    found = demand(np.array([0.0, 0.1, 0.2, 5.0, 5.0]), work_s=1.0).backlog_s
    assert found.tolist() == pytest.approx([0.0, 0.9, 1.8, 0.0, 1.0])


def test_load_is_work_a_second() -> None:
    even = demand(np.arange(100.0), work_s=0.5)
    assert even.load(0, 100) == even.load(20, 40) == 0.5
    assert demand(np.full(100, 7.0), work_s=0.5).load(0, 100) == pytest.approx(49.5), "all at once is within a second"


def test_busiest_stretch_is_found_wherever_it_is(busy_days: Demand) -> None:
    window = busiest_window(busy_days, 2000)
    begins_s, ends_s = busy_days.arrival_s[window.start], busy_days.arrival_s[window.stop - 1]
    assert BusyDays.peak_s <= begins_s < ends_s <= BusyDays.peak_s + 60 * BusyDays.peak_minutes
    assert int(begins_s // DAY_S) + 1 == 5
    assert busy_days.load(window.start, window.stop) > 1.5


def test_busiest_minutes_are_found_in_a_day_that_is_too_busy_to_its_evening() -> None:
    day, peak = np.arange(0, 10_000, 0.9), np.linspace(3000, 3060, 3000)
    found = demand(np.sort(np.concatenate([day, peak])), work_s=1.0)
    assert found.arrival_s[np.argmax(found.backlog_s)] > 9000, "most waits in the evening"
    window = busiest_window(found, 2000)
    assert 3000 <= found.arrival_s[window.start] < found.arrival_s[window.stop - 1] <= 3060


def test_short_burst_is_not_watered_down_by_the_quiet_hours_before_it() -> None:
    quiet, burst = np.arange(0, 50_000, 10.0), np.linspace(40_003, 40_004, 300)
    window = busiest_window(found := demand(np.sort(np.concatenate([quiet, burst]))), 2000)
    assert found.arrival_s[window.stop - 1] >= 40_003.9
    assert 100 <= window.stop - window.start <= 300
    assert found.load(window.start, window.stop) > 10


def test_busiest_stretch_is_not_so_short_that_it_could_not_fill_an_engine() -> None:
    quiet, burst = np.arange(0, 50_000, 10.0), np.linspace(40_003, 40_004, 300)
    window = busiest_window(demand(np.sort(np.concatenate([quiet, burst]))), 2000, fewest=1000)
    assert window.stop - window.start >= 1000


def test_night_is_no_part_of_the_busiest_stretch_of_two_mornings() -> None:
    morning = np.cumsum(np.random.default_rng(0).exponential(0.06, 600))
    found = demand(np.concatenate([morning, morning + 15 * 3600]))
    window = busiest_window(found, 2000)
    assert found.arrival_s[window.stop - 1] - found.arrival_s[window.start] < 60


def test_log_that_is_short_enough_is_simulated_whole() -> None:
    (window,) = windows_of_all(demand(np.arange(500.0)), most=500, lead_s=1.0, seed=0)
    assert window[:4] == (0, 500, 0, 500)
    assert window.places.tolist() == list(range(500))


def test_windows_stand_for_all_of_the_log(busy_days: Demand) -> None:
    """Means over the requests that count are the log's: without a window in the peak, or unweighted, they are not."""
    found = [windows_of_all(busy_days, most=10_000, lead_s=4.0, seed=seed) for seed in range(20)]
    assert all(10 < len(windows) <= MOST_WINDOWS for windows in found)
    waits = np.array([busy_days.backlog_s[np.concatenate([one.places for one in windows])].mean() for windows in found])
    truth = busy_days.backlog_s.mean()
    assert waits.mean() == pytest.approx(truth, rel=0.15)
    assert waits.std() < truth / 2
    unweighted = [busy_days.backlog_s[one.start : one.stop].mean() for windows in found for one in windows]
    assert np.mean(unweighted) > 2 * truth


def test_windows_are_drawn_by_the_seed_and_do_not_overlap(busy_days: Demand) -> None:
    first, again, other = (windows_of_all(busy_days, 10_000, 4.0, seed) for seed in (0, 0, 1))
    assert first == again != other
    assert all(one.stop <= following.start for one, following in pairwise(first))


def test_window_is_simulated_from_when_nothing_waited_to_when_nothing_waits_again(busy_days: Demand) -> None:
    for one in windows_of_all(busy_days, 10_000, lead_s=4.0, seed=0):
        size = one.stop - one.start
        assert one.start - size <= one.before <= one.start < one.stop <= one.after <= one.stop + size
        assert busy_days.backlog_s[one.before] == 0 or one.before == max(0, one.start - size)
        if one.before > max(0, one.start - size):
            assert busy_days.arrival_s[one.before] <= busy_days.arrival_s[one.start] - 4.0
