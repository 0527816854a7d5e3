"""What happens to requests before an engine has them."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.simulation.engine.engine_settings import SimulatedRequest
from benchmarks.simulation.engine.intake import Intake, Order, arrivals_us, simulated_request
from registry.errors import InvalidInput
from serving.work.step_cost import StepCost
from traffic.batch import Traffic

COST = StepCost(
    fixed_s=1.0, per_token_s=0.0, per_sequence_s=0.0, intake_s=0.5, handing_on_s=0.25, ranking_s=2.0, scoring_s=2.0
)


def traffic(*sent_s: float) -> Traffic:
    tokens = np.ones(len(sent_s), dtype=np.int64)
    return Traffic(arrival_s=np.array(sent_s), prompt_tokens=tokens, output_tokens=tokens)


def take_in(sent_s: list[float], is_ranked: bool, backlog_s: float) -> list[tuple[float, bool]]:
    return Intake(COST, is_ranked, backlog_s).take(sent_s)


def placed(sent: Traffic, order: Order, backlog_s: float) -> list[SimulatedRequest]:
    taken = take_in(sent.arrival_s.tolist(), order.is_ranked, backlog_s)
    stamps_us = arrivals_us(sent.arrival_s).tolist()
    return [simulated_request(sent, order, number, stamps_us[number], *one) for number, one in enumerate(taken)]


def test_what_waits_is_taken_in_together_and_handed_on_one_by_one() -> None:
    taken = take_in([0.0, 0.0, 10.0], is_ranked=False, backlog_s=9)
    assert taken == [(1.25, True), (1.5, True), (10.75, True)]


def test_what_comes_during_a_round_is_taken_in_by_the_next_one() -> None:
    taken = take_in([0.0, 0.1, 0.75, 0.8], is_ranked=False, backlog_s=9)
    assert [ready_s for ready_s, _ in taken] == [0.75, 2.0, 2.25, 3.0]


def test_rounds_go_on_where_the_last_call_ended() -> None:
    intake = Intake(COST, is_ranked=False, backlog_s=9)
    assert intake.take([0.0, 0.0]) == [(1.25, True), (1.5, True)]
    assert intake.take([0.2]) == [(2.25, True)]
    assert intake.take([]) == []


def test_a_thread_ranks_one_after_the_other_from_when_each_is_handed_on() -> None:
    taken = take_in([0.0, 0.0, 10.0], is_ranked=True, backlog_s=9)
    assert taken == [(3.25, True), (5.25, True), (12.75, True)]


def test_what_would_be_held_too_long_goes_on_without_a_place() -> None:
    taken = take_in([0.0] * 4, is_ranked=True, backlog_s=4)
    assert taken == [(4.25, True), (6.25, True), (2.75, False), (3.0, False)]


def test_the_ranker_is_free_sooner_than_a_request_is_ranked() -> None:
    quick = Intake(replace(COST, scoring_s=1.0), is_ranked=True, backlog_s=9)
    assert quick.take([0.0] * 3) == [(3.75, True), (4.0, True), (4.75, True)]


def test_ways_to_the_engine_go_on_at_once_and_hold_nothing() -> None:
    far = Intake(replace(COST, transit_s=100.0), is_ranked=True, backlog_s=4)
    assert far.take([0.0] * 2) == [(103.25, True), (105.25, True)]


def test_priority_is_arrival_and_the_share_of_the_patience() -> None:
    order = Order(quantiles=np.array([1.0, 0.0]), patience_s=10)
    first, second = placed(traffic(0.0, 5.0), order, backlog_s=9)
    assert (first.priority, second.priority) == (10_000_001, 5_000_001)


def test_first_come_first_served_is_the_order_of_sending_even_at_once() -> None:
    requests = placed(traffic(0.0, 0.0, 0.0), Order(), backlog_s=9)
    assert [one.priority for one in requests] == [1, 2, 3]


def test_unranked_request_takes_the_place_of_the_median() -> None:
    order = Order(quantiles=np.zeros(3), patience_s=10, is_ranked=True)
    requests = placed(traffic(0.0, 0.0, 0.0), order, backlog_s=4)
    assert [one.priority for one in requests] == [1, 2, 3 + 5_000_000]


@pytest.mark.parametrize("changes", [{"fixed_s": -1}, {"intake_s": float("nan")}, {"fixed_s": 0.0}, {"ranking_s": 1.0}])
def test_cost_that_is_none_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=r"step cost|must cost time|scoring_s must be above 0"):
        StepCost(**({"fixed_s": 1.0, "per_token_s": 0.0, "per_sequence_s": 0.0} | changes))
