"""The priority that each policy sends: lower = sooner."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.endpoint import priorities
from benchmarks.endpoint.plan import PlannedRequest
from benchmarks.endpoint.priorities import ClientOrder
from benchmarks.policies.policy_list import Policy
from benchmarks.simulation.engine.order import Order, sent_requests
from registry.ranker import Ranker
from tests.rankers import write_ranker
from traffic.batch import Traffic

REQUESTS = [PlannedRequest("a b c", 30, 0.0, 0), PlannedRequest("a", 2, 0.0, 1), PlannedRequest("a b", 30, 0.0, 2)]


def test_fcfs_is_the_order_of_sending() -> None:
    assert priorities.fcfs(0, 1_000) < priorities.fcfs(1, 1_001)


def test_pars_leaves_the_priority_to_the_server() -> None:
    assert priorities.pars(0, 1_000) is None


def test_oracle_is_the_order_of_the_true_lengths_and_shares_the_places_of_equal_ones() -> None:
    found = priorities.oracle_quantiles(REQUESTS)
    assert found[1] < found[0] == found[2] < 1


def test_places_age_linearly_so_that_whoever_waited_for_the_patience_is_not_overtaken() -> None:
    aged = priorities.aged(np.array([0.0, 0.5]), patience_s=10)
    assert aged(1, 1_000_000) == 6_000_000
    assert aged(0, 5_999_999) < 6_000_000 < aged(0, 6_000_001)


@pytest.mark.parametrize("later_s", [119, 121])
def test_oracle_has_the_patience_of_a_simulated_one(later_s: int) -> None:
    sent_s, tokens = np.array([0.0, later_s]), np.array([500, 1])
    traffic = Traffic(arrival_s=sent_s, prompt_tokens=np.ones(2, dtype=np.int64), output_tokens=tokens)
    order = Order(quantiles=np.array([1.0, 0.0]), patience_s=120)
    simulated = [one.priority_of("known") for one in sent_requests(traffic, order)]
    replayed = priorities.aged(np.array([1.0, 0.0]), patience_s=120)
    sent_us = [1 + round(one * 1e6) for one in sent_s]
    assert [replayed(index, at) for index, at in enumerate(sent_us)] == simulated
    assert (simulated[1] < simulated[0]) is (later_s < 120)


@pytest.fixture
def order(tmp_path: Path) -> ClientOrder:
    """Rankers that find prompts with more words longer, and, as `other`, shorter."""
    weights = {"same": 1.0, "other": -1.0}
    rankers = {name: Ranker.load(write_ranker(tmp_path / name, weight=weight)) for name, weight in weights.items()}
    prompts = [request.prompt for request in REQUESTS]
    return ClientOrder({name: ranker.quantiles_of(prompts) for name, ranker in rankers.items()})


def sent(order: ClientOrder, kind: str, patience_s: float = 10.0) -> list[int | None]:
    """What the requests carry that are sent at the second 1."""
    prioritise = order.prioritise(Policy(kind, kind, patience_s), REQUESTS)
    return [prioritise(index, 1_000_000) for index in range(len(REQUESTS))]


def by_priority(priorities_sent: list[int | None]) -> list[int]:
    return sorted(range(len(REQUESTS)), key=lambda index: priorities_sent[index] or 0)


@pytest.mark.parametrize(
    ("kind", "first_to_last"), [("same", [1, 2, 0]), ("other", [0, 2, 1]), ("prompt_length", [1, 2, 0])]
)
def test_rankers_and_prompt_lengths_order_as_they_find(order: ClientOrder, kind: str, first_to_last: list[int]) -> None:
    assert by_priority(sent(order, kind)) == first_to_last


def test_a_rival_s_places_are_sent_as_a_ranker_s_are(order: ClientOrder) -> None:
    rival = {"template_mean": np.array([0.5, 0.9, 0.1])}
    assert by_priority(sent(order.with_places(rival), "template_mean")) == [2, 0, 1]


def test_each_policy_has_its_own_patience(order: ClientOrder) -> None:
    assert sent(order, "oracle", patience_s=0) == sent(order, "fcfs") == [1_000_000] * 3
    assert max(sent(order, "oracle", patience_s=60)) > max(sent(order, "oracle", patience_s=10))  # type: ignore[type-var]
