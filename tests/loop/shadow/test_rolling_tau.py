"""A champion that ages is seen from when it does, and only then."""

import numpy as np
import pytest

from loop.fresh.fresh_requests import FreshRequests
from loop.shadow.rolling_tau import by_answers, by_time, table
from tests.loop.shadow.made_up_requests import made_up_requests

RNG = np.random.default_rng(0)


def requests(num: int, arrival_s: np.ndarray | None = None) -> FreshRequests:
    return made_up_requests(RNG.permutation(num).astype(float) + 1, arrival_s)


def test_ageing_shows_from_where_it_begins() -> None:
    its = requests(1000, np.arange(1000.0) * 60)
    challenger = its.output_tokens
    champion = np.where(np.arange(1000) < 500, its.output_tokens, RNG.permutation(1000))
    points = by_answers(challenger, champion, its, 200, 0)
    assert [one.last for one in points] == list(range(200, 1001, 100))
    for one in points:
        if one.last <= 500:
            assert one.difference.value == 0
        if one.last >= 700:
            assert one.difference.low > 0.5
    of_time = by_time(challenger, champion, its, 0)
    assert len(of_time) == 24
    assert sum(one.requests for one in of_time) == 1000
    assert of_time[-1].difference.low > 0 == of_time[0].difference.value
    assert list(table(points).columns[-3:]) == ["difference", "low", "high"]


def test_few_answers_are_one_point_and_unknown_times_none() -> None:
    its = requests(50)
    (one,) = by_answers(its.output_tokens, its.output_tokens, its, 200, 0)
    assert (one.requests, one.champion, one.challenger) == (50, 1, 1)
    assert by_time(its.output_tokens, its.output_tokens, its, 0) == []
    at_once = requests(50, np.zeros(50))
    assert by_time(at_once.output_tokens, at_once.output_tokens, at_once, 0) == []


@pytest.mark.parametrize("num", [20_000])
def test_long_journal_has_no_more_points_than_can_be_seen(num: int) -> None:
    its = requests(num)
    assert len(by_answers(its.output_tokens, its.output_tokens, its, 100, 0)) <= 61
