"""What the server's counters say of the ranker's work."""

import pytest

from benchmarks.endpoint.counters.ranking_work import parse_work, ranking_work
from benchmarks.endpoint.endpoint import connect
from tests.benchmarks.endpoints import FakeEndpoint, serving

PAGE = """
# TYPE pars_engine_requests_total counter
pars_engine_requests_total{source="encoder"} 60.0
pars_engine_requests_total{source="instant"} 30.0
pars_engine_requests_total{source="median"} 10.0
pars_engine_requests_total{source="client"} 500.0
# TYPE pars_ranking_fail_opens_total counter
pars_ranking_fail_opens_total{reason="budget"} 8.0
pars_ranking_fail_opens_total{reason="backlog"} 2.0
# TYPE pars_ranking_seconds summary
pars_ranking_seconds_count{tier="encoder"} 95.0
pars_ranking_seconds_sum{tier="encoder"} 0.19
pars_ranking_seconds_count{tier="instant"} 100.0
pars_ranking_seconds_sum{tier="instant"} 0.01
# TYPE pars_ranking_hold_seconds summary
pars_ranking_hold_seconds_count 100.0
pars_ranking_hold_seconds_sum 5.0
"""


def test_counters_tell_what_was_ranked_and_what_failed_open() -> None:
    work = parse_work(PAGE)
    assert work is not None
    assert (work.ranked, work.failed_open, work.had_room) == (90, 10, 8)
    assert (work.fail_open_share, work.instant_share, work.had_room_share) == (0.1, 0.3, 0.08)
    assert work.scoring_ms == pytest.approx(2)
    assert work.instant_ms == pytest.approx(0.1)
    assert work.held_ms == pytest.approx(50)
    assert (work - work).requests == 1, "of nothing"


def test_endpoint_that_is_none_of_ours_tells_nothing_of_ranking() -> None:
    with serving(FakeEndpoint()) as url:
        assert ranking_work(connect(url)) is None
