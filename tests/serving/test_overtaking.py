"""By how much requests overtake others."""

from hypothesis import given
from hypothesis import strategies as st

from serving.overtaking import NUM_REMEMBERED, Overtaking, RecentMaximum

MICROSECONDS = 1_000_000


def test_first_come_first_served_overtakes_nobody() -> None:
    overtaking = Overtaking()
    assert [overtaking.overtaken_by_s(arrival_us, arrival_us + 7.0) for arrival_us in (1, 2, 3)] == [0, 0, 0]


def test_request_is_overtaken_by_the_latest_that_was_taken_up_sooner() -> None:
    overtaking = Overtaking()
    assert overtaking.overtaken_by_s(3 * MICROSECONDS, 10.0) == 0
    assert overtaking.overtaken_by_s(9 * MICROSECONDS, 11.0) == 0
    assert overtaking.overtaken_by_s(5 * MICROSECONDS, 12.0) == 4
    assert overtaking.overtaken_by_s(1 * MICROSECONDS, 12.5) == 8


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), max_size=40))
def test_it_is_the_maximum_over_all_that_were_seen_before(requests: list[tuple[int, int]]) -> None:
    overtaking = Overtaking()
    seen: list[tuple[int, int]] = []
    for arrival_us, taken_up_s in requests:
        sooner = [arrival for arrival, taken_up in seen if taken_up < taken_up_s]
        expected = max([arrival - arrival_us for arrival in sooner] + [0]) / MICROSECONDS
        assert overtaking.overtaken_by_s(arrival_us, taken_up_s) == expected
        seen.append((arrival_us, taken_up_s))


def test_what_it_remembers_is_limited() -> None:
    overtaking = Overtaking()
    for number in range(1, 2 * NUM_REMEMBERED):
        assert overtaking.overtaken_by_s(number, float(number)) == 0
    assert len(overtaking._latest) == NUM_REMEMBERED
    assert overtaking.overtaken_by_s(2 * NUM_REMEMBERED - 11, 1e9) == 10 / MICROSECONDS


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=60), st.integers(1, 10))
def test_recent_maximum_is_that_of_the_window(values: list[tuple[int, int]], window_s: int) -> None:
    recent, now_s, seen = RecentMaximum(window_s), 0.0, list[tuple[float, int]]()
    for wait_s, value in values:
        now_s += wait_s
        recent.add(now_s, value)
        seen.append((now_s, value))
        assert recent.at(now_s) == max(value for time_s, value in seen if time_s > now_s - window_s)
    assert recent.at(now_s + window_s) == 0
