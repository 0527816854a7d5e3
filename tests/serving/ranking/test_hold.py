"""The verdict on who may go on to the engine, under a virtual clock."""

from collections.abc import Iterator
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.ranking.hold import LEAST_SWEPT, UNPLACED_S, Hold, Standing, may_go

BACKLOG_S = 2.0


@pytest.mark.parametrize(
    ("standing", "held_s", "room", "verdict"),
    [
        ("settled", 0.0, 0, True),
        ("placed", 0.0, 1, True),
        ("placed", 0.0, 0, False),
        ("placed", 1.999, -3, False),
        ("placed", 2.0, -3, True),
        ("unplaced", 0.0, 5, False),
        ("unplaced", UNPLACED_S, 0, False),
        ("unplaced", UNPLACED_S, 1, True),
        ("unplaced", 2.0, 0, True),
    ],
)
def test_verdict(standing: Standing, held_s: float, room: int, verdict: bool) -> None:
    assert may_go(standing, held_s, room, BACKLOG_S) is verdict


def let_go(hold: Hold[str], room: int, now_s: float) -> Iterator[str]:
    """All that may go, each of which takes room."""
    while (request := hold.next(room, now_s)) is not None:
        room -= 1
        yield request


def test_what_waits_together_goes_by_priority_and_never_more_than_there_is_room_for() -> None:
    hold: Hold[str] = Hold(BACKLOG_S)
    for name, priority in (("long", 30), ("short", 10), ("middling", 20), ("first of equals", 5), ("second", 5)):
        hold.enter(name, priority, "placed", 0.0)
    assert list(let_go(hold, 0, 0.1)) == []
    assert list(let_go(hold, 3, 0.2)) == ["first of equals", "second", "short"]
    assert "short" not in hold and len(hold) == 2
    assert list(let_go(hold, 3, 0.3)) == ["middling", "long"]


def test_encoders_place_replaces_the_instant_one_and_ends_the_hold() -> None:
    hold: Hold[str] = Hold(BACKLOG_S)
    hold.enter("a", 10, "placed", 0.0)
    hold.enter("b", 20, "placed", 0.0)
    hold.enter("c", 30, "placed", 0.0)
    hold.settle("a", 40)
    hold.settle("c", 5)
    assert list(let_go(hold, 0, 0.1)) == ["c", "a"], "b is not read yet"
    assert list(let_go(hold, 1, 0.1)) == ["b"]


def test_settled_one_takes_room_from_those_behind_it_only() -> None:
    hold: Hold[str] = Hold(BACKLOG_S)
    hold.enter("instant, ahead", 10, "placed", 0.0)
    hold.enter("settled", 20, "settled", 0.0)
    hold.enter("instant, behind", 30, "placed", 0.0)
    assert list(let_go(hold, 2, 0.0)) == ["instant, ahead", "settled"]


def test_backlog_budget_ends_a_hold_and_its_end_is_foreseen() -> None:
    hold: Hold[str] = Hold(BACKLOG_S)
    assert hold.next_verdict_s == inf
    hold.enter("early", 20, "placed", 1.0)
    hold.enter("late", 10, "placed", 2.0)
    assert hold.next_verdict_s == 3.0
    assert list(let_go(hold, 0, 2.99)) == []
    assert list(let_go(hold, 0, 3.0)) == ["early"]
    assert hold.next_verdict_s == 4.0
    hold.settle("late", 10)
    assert hold.next_verdict_s == inf


def test_one_without_a_place_uses_room_only_after_a_moment() -> None:
    hold: Hold[str] = Hold(BACKLOG_S)
    hold.enter("unread", 10, "unplaced", 0.0)
    hold.enter("placed", 20, "placed", 0.0)
    assert hold.next_verdict_s == UNPLACED_S
    assert list(let_go(hold, 9, 0.0)) == ["placed"]
    assert list(let_go(hold, 0, UNPLACED_S)) == []
    assert list(let_go(hold, 1, UNPLACED_S)) == ["unread"]


def test_one_that_has_left_is_passed_over() -> None:
    hold: Hold[str] = Hold(BACKLOG_S)
    for name in ("gone", "here"):
        hold.enter(name, 1, "placed", 0.0)
    hold.leave("gone")
    hold.leave("gone")
    assert list(let_go(hold, 9, 0.0)) == ["here"]


def test_nothing_piles_up_while_the_engine_is_full_for_ever() -> None:
    hold: Hold[int] = Hold(BACKLOG_S)
    for number in range(10_000):
        hold.enter(number, -number, "placed", number / 10)  # each new one is the best, so old ones lie deep
        hold.settle(number, 0) if number % 2 else hold.leave(number)
        while hold.next(0, number / 10) is not None:
            pass
    assert len(hold) == 0
    assert max(map(len, (hold._ready, hold._going, hold._later))) <= 2 * LEAST_SWEPT


STANDINGS = st.sampled_from(["settled", "placed", "unplaced"])
QUARTERS_S = st.integers(0, 12).map(lambda quarters: quarters / 4)  # no rounding is tested here
REQUESTS = st.lists(st.tuples(st.integers(0, 9), STANDINGS, QUARTERS_S), max_size=20)


@given(REQUESTS, st.integers(0, 4), QUARTERS_S.map(lambda seconds: seconds + 3))
def test_it_is_the_verdict_on_all_of_them_in_the_order_of_priorities(
    requests: list[tuple[int, Standing, float]], room: int, now_s: float
) -> None:
    hold: Hold[int] = Hold(BACKLOG_S)
    for number, (priority, standing, entered_s) in enumerate(requests):
        hold.enter(number, priority, standing, entered_s)
    expected, left = [], list(enumerate(requests))
    while may := [one for one in left if may_go(one[1][1], now_s - one[1][2], room - len(expected), BACKLOG_S)]:
        best = min(may, key=lambda one: (one[1][0], one[0]))
        left.remove(best)
        expected.append(best[0])
    assert list(let_go(hold, room, now_s)) == expected
