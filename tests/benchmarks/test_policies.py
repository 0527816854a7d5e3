"""The priority that each policy sends: lower = sooner."""

from pathlib import Path

import pytest

from benchmarks import policies
from benchmarks.plan import PlannedRequest
from registry.ranker import Ranker
from tests.rankers import write_ranker

REQUESTS = [PlannedRequest("a b c", 30, 0.0), PlannedRequest("a", 2, 0.0), PlannedRequest("a b", 30, 0.0)]


def test_fcfs_is_the_order_of_sending() -> None:
    assert policies.fcfs(0, 1_000) < policies.fcfs(1, 1_001)


def test_pars_leaves_the_priority_to_the_server() -> None:
    assert policies.pars(0, 1_000) is None


def test_oracle_is_the_order_of_the_true_lengths_and_never_zero() -> None:
    oracle = policies.oracle(REQUESTS)
    assert [oracle(i, 123) for i in range(3)] == [2, 1, 2]


def test_control_ages_linearly() -> None:
    control = policies.control([0.0, 0.5], patience_s=10)
    assert control(1, 1_000_000) == 6_000_000
    assert control(0, 5_999_999) < 6_000_000 < control(0, 6_000_001)


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
