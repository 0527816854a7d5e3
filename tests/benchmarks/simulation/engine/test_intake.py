"""What happens to requests before an engine has them."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.simulation.engine.engine_settings import SimulatedRequest
from benchmarks.simulation.engine.intake import Intake
from benchmarks.simulation.engine.order import Order, sent_requests
from registry.errors import InvalidInput
from serving.work.step_cost import StepCost
from traffic.batch import Traffic

COST = StepCost(
    fixed_s=1.0,
    per_token_s=0.0,
    per_sequence_s=0.0,
    intake_s=0.5,
    handing_on_s=0.25,
    instant_s=0.125,
    ranking_s=2.0,
    scoring_s=2.0,
)
BACKLOG_S = 20.0
SHORT_LAST = np.array([0.9, 0.5, 0.1])


class Watched:
    """An intake, and all that it has handed on so far: which, when it was ready, and by whose place."""

    def __init__(self, sent_s: list[float], order: Order, cost: StepCost = COST, backlog_s: float = BACKLOG_S) -> None:
        tokens = np.ones(len(sent_s), dtype=np.int64)
        traffic = Traffic(arrival_s=np.array(sent_s), prompt_tokens=tokens, output_tokens=tokens)
        self.intake = Intake(cost, backlog_s, max_num_seqs=8)
        self.intake.send(sent_requests(traffic, order))
        self.requests: list[SimulatedRequest] = []

    def until(self, now_s: float) -> list[tuple[int, float, str]]:
        self.requests += self.intake.hand_on(now_s)
        return [(one.number, one.ready_s, self.intake.placed_by[one.number]) for one in self.requests]

    def engine_is_full(self, now_s: float) -> None:
        self.intake.report(now_s, num_running=2, num_waiting=1, num_answered=0)

    def engine_has_room(self, now_s: float) -> None:
        self.intake.report(now_s, num_running=2, num_waiting=0, num_answered=0)


def held(order: Order, sent_s: float = 1.0, **changes: float) -> Watched:
    """Two requests that the engine has, one of which waits there, and then three more."""
    first = np.array([0.5, 0.5])
    parts = {
        name: None if places is None else np.concatenate([first, places])
        for name, places in (("instant", order.instant), ("encoder", order.encoder))
    }
    watched = Watched([0.0, 0.0, *[sent_s + 8] * 3], Order(**parts), replace(COST, intake_s=0.0), **changes)
    watched.until(0.0)
    watched.engine_has_room(1.0)
    watched.until(8.0)
    watched.engine_is_full(8.0)
    watched.engine_is_full(8.25)
    watched.engine_is_full(8.5)
    return watched


def test_what_waits_is_taken_in_together_and_handed_on_one_by_one() -> None:
    taken = Watched([0.0, 0.0, 10.0], Order()).until(20.0)
    assert taken == [(0, 1.25, "known"), (1, 1.5, "known"), (2, 10.75, "known")]


def test_what_comes_during_a_round_is_taken_in_by_the_next_one() -> None:
    taken = Watched([0.0, 0.1, 0.75, 0.8], Order()).until(9.0)
    assert [ready_s for _, ready_s, _ in taken] == [0.75, 2.0, 2.25, 3.0]


def test_what_came_together_is_handed_on_in_the_order_of_its_places() -> None:
    taken = Watched([0.0, 0.0, 0.0], Order(quantiles=SHORT_LAST)).until(9.0)
    assert [number for number, _, _ in taken] == [2, 1, 0]


def test_instant_places_cost_the_event_loop_their_time_and_hold_nobody() -> None:
    taken = Watched([0.0, 0.0, 0.0], Order(instant=SHORT_LAST)).until(1.875)
    assert taken == [(2, 2.125, "instant"), (1, 2.375, "instant"), (0, 2.625, "instant")]


def test_encoder_is_not_waited_for_while_the_engine_can_take_a_request() -> None:
    taken = Watched([0.0], Order(instant=np.array([0.9]), encoder=np.array([0.1]))).until(9.0)
    assert taken == [(0, 0.875, "instant")]


def test_encoders_place_replaces_the_instant_one_of_those_that_wait_anyway() -> None:
    watched = held(Order(instant=np.array([0.1, 0.2, 0.3]), encoder=np.array([0.9, 0.5, 0.1])))
    watched.engine_is_full(9.0)
    assert len(watched.until(9.5)) == 2
    # Read in the order of their instant places, one after the other; each goes on once it is read.
    placed = watched.until(17.0)[2:]
    assert [(number, who) for number, _, who in placed] == [(2, "encoder"), (3, "encoder"), (4, "encoder")]
    assert [ready_s for _, ready_s, _ in placed] == pytest.approx([11.625, 13.625, 15.625])
    priorities = [one.priority - round(one.arrival_s * 1e6) for one in watched.requests[2:]]
    assert priorities == sorted(priorities, reverse=True)


def test_instant_places_stand_once_the_backlog_budget_is_over() -> None:
    watched = held(Order(instant=SHORT_LAST, encoder=SHORT_LAST), backlog_s=3.0)
    placed = watched.until(30.0)[2:]
    assert [(number, who) for number, _, who in placed] == [(4, "encoder"), (3, "instant"), (2, "instant")]


def test_best_places_go_as_soon_as_there_is_room() -> None:
    watched = held(Order(instant=SHORT_LAST, encoder=SHORT_LAST))
    watched.until(9.5)
    watched.engine_has_room(10.0)
    placed = watched.until(10.5)[2:]
    assert [(number, who) for number, _, who in placed] == [(4, "instant"), (3, "instant")], "as many as it runs"


def test_without_an_instant_tier_a_request_waits_a_moment_for_the_encoder() -> None:
    quick = replace(COST, ranking_s=0.03, scoring_s=0.02)
    taken = Watched([0.0, 0.0, 10.0], Order(encoder=SHORT_LAST), quick).until(20.0)
    assert taken == [(0, pytest.approx(1.28), "encoder"), (1, pytest.approx(1.53), "encoder"), (2, 10.78, "encoder")]


def test_what_the_encoder_alone_cannot_read_in_time_takes_the_median() -> None:
    taken = Watched([0.0] * 3, Order(encoder=SHORT_LAST)).until(20.0)
    assert next(who for _, _, who in taken) == "median"


def test_ways_to_the_engine_go_on_at_once_and_hold_nothing() -> None:
    far = Watched([0.0] * 2, Order(), replace(COST, transit_s=100.0)).until(9.0)
    assert [ready_s for _, ready_s, _ in far] == [101.25, 101.5]


def test_priority_is_arrival_and_the_share_of_the_patience() -> None:
    watched = Watched([0.0, 5.0], Order(quantiles=np.array([1.0, 0.0]), patience_s=10))
    watched.until(9.0)
    assert [one.priority for one in watched.requests] == [10_000_001, 5_000_001]


def test_first_come_first_served_is_the_order_of_sending_even_at_once() -> None:
    watched = Watched([0.0] * 3, Order())
    watched.until(9.0)
    assert [one.priority for one in watched.requests] == [1, 2, 3]


@pytest.mark.parametrize("changes", [{"fixed_s": -1}, {"intake_s": float("nan")}, {"fixed_s": 0.0}, {"ranking_s": 1.0}])
def test_cost_that_is_none_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=r"step cost|must cost time|scoring_s must be above 0"):
        StepCost(**({"fixed_s": 1.0, "per_token_s": 0.0, "per_sequence_s": 0.0} | changes))
