"""Sums over pairs are those of each pair, and leaving a session out is as if it had never been there."""

import numpy as np
import pytest

from loop.fresh.pair_sums import PairSums
from registry.order.certain_pairs import certain_pairs
from tests.loop.shadow.made_up_requests import made_up_requests

NUM = 60
RNG = np.random.default_rng(0)
TOKENS = RNG.integers(1, 12, NUM).astype(float)
CUT = RNG.random(NUM) < 0.3
GROUPS = [str(one) for one in RNG.integers(0, 15, NUM).tolist()]
CHALLENGER, CHAMPION = RNG.integers(0, 9, (2, NUM)).astype(float)
MEMBERS = RNG.random(NUM) < 0.4


def sums(kept: np.ndarray) -> PairSums:
    requests = made_up_requests(TOKENS[kept], groups=[GROUPS[one] for one in kept.tolist()])
    object.__setattr__(requests, "is_censored", CUT[kept])
    return PairSums.of(CHALLENGER[kept], CHAMPION[kept], requests, 0)


def test_sums_are_those_of_certain_pairs() -> None:
    found, everyone = sums(np.arange(NUM)), np.ones(NUM, dtype=np.bool_)
    for predicted, surplus in ((CHALLENGER, found.challenger), (CHAMPION, found.champion)):
        pairs = certain_pairs(predicted, TOKENS, CUT)
        assert surplus.sum(axis=1) == pytest.approx(pairs.surplus)
        assert found.untied.sum(axis=1) == pytest.approx(pairs.untied_true)
        assert found.right_share(surplus, everyone) == pytest.approx(float(pairs.whole().accuracy[0]))


def test_without_a_session_is_as_if_it_had_not_been_there() -> None:
    found = sums(np.arange(NUM))
    whole, *left_out = found._without_each(found.challenger, MEMBERS)
    assert whole == found.challenger[MEMBERS].sum()
    for block, without in enumerate(left_out):
        kept = np.flatnonzero(found.blocks != block)
        assert without == pytest.approx(sums(kept).challenger[MEMBERS[kept]].sum())


def test_group_without_a_pair_is_half_right_and_differs_nowhere() -> None:
    nobody = np.zeros(NUM, dtype=np.bool_)
    found = sums(np.arange(NUM))
    assert found.right_share(found.champion, nobody) == 0.5
    assert found.difference(nobody, 0.95) == (0, 0, 0)
