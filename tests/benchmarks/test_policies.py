"""The priority that each policy sends: lower = sooner."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import policies
from benchmarks.plan import PlannedRequest
from benchmarks.simulation.intake import Order, Traffic, engine_request
from registry.ranker import Ranker
from tests.rankers import write_ranker

REQUESTS = [PlannedRequest("a b c", 30, 0.0), PlannedRequest("a", 2, 0.0), PlannedRequest("a b", 30, 0.0)]


def test_fcfs_is_the_order_of_sending() -> None:
    assert policies.fcfs(0, 1_000) < policies.fcfs(1, 1_001)


def test_pars_leaves_the_priority_to_the_server() -> None:
    assert policies.pars(0, 1_000) is None


def test_oracle_is_the_order_of_the_true_lengths_and_shares_the_places_of_equal_ones() -> None:
    found = policies.oracle_quantiles(REQUESTS)
    assert found[1] < found[0] == found[2] < 1


def test_places_age_linearly_so_that_whoever_waited_for_the_patience_is_not_overtaken() -> None:
    aged = policies.aged([0.0, 0.5], patience_s=10)
    assert aged(1, 1_000_000) == 6_000_000
    assert aged(0, 5_999_999) < 6_000_000 < aged(0, 6_000_001)


@pytest.mark.parametrize("later_s", [119, 121])
def test_oracle_has_the_patience_of_a_simulated_one(later_s: int) -> None:
    sent_s, tokens = np.array([0.0, later_s]), np.array([500, 1])
    traffic = Traffic(sent_s=sent_s, prompt_tokens=np.ones(2, dtype=np.int64), output_tokens=tokens)
    order = Order(quantiles=np.array([1.0, 0.0]), patience_s=120)
    simulated = [engine_request(traffic, order, one, 0.0, has_place=True).priority for one in range(2)]
    replayed = policies.aged([1.0, 0.0], patience_s=120)
    sent_us = [1 + round(one * 1e6) for one in sent_s]
    assert [replayed(index, at) for index, at in enumerate(sent_us)] == simulated
    assert (simulated[1] < simulated[0]) is (later_s < 120)


def test_reversed_control_is_the_mirror_image(tmp_path: Path) -> None:
    ranker = Ranker.load(write_ranker(tmp_path / "ranker"))
    places = policies.control_quantiles(ranker, REQUESTS, is_reversed=False)
    mirrored = policies.control_quantiles(ranker, REQUESTS, is_reversed=True)
    assert places[1] < places[2] < places[0]
    assert [a + b for a, b in zip(places, mirrored, strict=True)] == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("text", ["pars,oracle", "fcfs,shortest", "", "fcfs,,pars"])
def test_policies_that_cannot_be_compared_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="control, pars, oracle"):
        policies.parse_policies(text)


def test_endpoint_may_stand_alone() -> None:
    assert policies.parse_policies("endpoint") == ("endpoint",)


def test_policies_are_read_in_the_order_of_the_table() -> None:
    assert policies.parse_policies("oracle, pars,fcfs") == ("fcfs", "pars", "oracle")
