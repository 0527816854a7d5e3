"""Which replica a request goes to."""

import numpy as np
import pytest

from benchmarks.simulation.fleet.routers import LeastLoaded, LengthAware, RoundRobin

QUANTILES = (np.arange(100) + 0.5) / 100
TOKENS = np.linspace(1, 199, 100)


def test_round_robin_takes_turns() -> None:
    router = RoundRobin(3)
    assert [router.choose(one) for one in range(5)] == [0, 1, 2, 0, 1]


def test_least_loaded_counts_what_is_outstanding_as_of_the_last_poll() -> None:
    router = LeastLoaded(2)
    assert [router.choose(one) for one in range(3)] == [0, 1, 0]
    router.observe([0, 2])
    assert [router.choose(one) for one in (3, 4)] == [0, 0]


def test_groups_begin_with_equal_shares_of_the_tokens() -> None:
    router = LengthAware(4, 2, QUANTILES, TOKENS)
    short = router.boundaries[0] >= QUANTILES
    assert TOKENS[short].sum() == pytest.approx(TOKENS.sum() / 2, rel=0.03)
    assert {router.choose(one) for one in np.flatnonzero(short)} == {0, 1}
    assert {router.choose(one) for one in np.flatnonzero(~short)} == {2, 3}


def test_boundary_moves_toward_the_group_that_has_more_to_do() -> None:
    router = LengthAware(2, 2, QUANTILES, TOKENS)
    before = float(router.boundaries[0])
    for one in range(90, 100):
        router.choose(one)
    router.observe([])
    assert before < router.boundaries[0] < 1
    router.observe(range(90, 100))
    for one in range(20):
        router.choose(one)
    raised = float(router.boundaries[0])
    router.observe([])
    assert router.boundaries[0] < raised


@pytest.mark.parametrize("groups", [1, 3, 9])
def test_boundaries_stay_in_order(groups: int) -> None:
    router = LengthAware(4, groups, QUANTILES, TOKENS)
    for one in range(100):
        router.choose(one)
        router.observe([one] if one % 3 else [])
    assert len(router.boundaries) == min(groups, 4) - 1
    assert (np.diff([0, *router.boundaries, 1]) >= 0).all()
