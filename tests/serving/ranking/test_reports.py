"""When requests wait in vLLM: by its reports, and by what was handed on since."""

from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.ranking.load import EngineLoad
from serving.ranking.reports import SHARED_REPORT_LASTS_S, EngineReports, Report

MANY = 1024
"""vLLM's own limit of sequences on a large GPU."""


def room_after(*reports: Report) -> int:
    load = EngineLoad(MANY, EngineReports(len(reports)))
    load.count(sum(report.num_known for report in reports))
    for engine, report in enumerate(reports):
        load.report(engine, report)
    return load.room


@pytest.mark.parametrize(
    ("reports", "room"),
    [
        ([Report()], 1),
        ([Report(num_running=7)], 7),
        ([Report(num_running=7, num_waiting=1)], 0),
        ([Report(num_running=7, num_blocked=3)], 7),
        ([Report(num_running=1000)], MANY - 1000),
        ([Report(num_running=7, num_waiting=2), Report(num_running=5)], 5),
        ([Report(num_running=7, num_waiting=2), Report(num_running=5, num_waiting=1)], 0),
    ],
    ids=["idle", "runs", "waits", "blocked", "no more sequences", "one of two has a queue", "both have one"],
)
def test_engine_has_room_unless_requests_wait_in_it(reports: list[Report], room: int) -> None:
    assert room_after(*reports) == room


def test_what_was_handed_on_since_the_last_report_counts_until_a_report_knows_it() -> None:
    load = EngineLoad(MANY, EngineReports())
    load.count(5)
    load.report(0, Report(num_running=5))
    load.count(3)
    assert load.room == 2
    load.report(0, Report(num_running=5))
    assert load.room == 2, "they came while this step was under way"
    load.report(0, Report(num_running=8))
    assert load.room == 8


def test_answers_whose_clients_are_slow_to_read_do_not_count_for_long() -> None:
    load = EngineLoad(MANY, EngineReports())
    load.count(5)
    for _ in range(4):
        load.report(0, Report())
    assert (load.num_sequences, load.room) == (5, 1)


def test_last_report_of_an_engine_that_all_have_left_counts_no_more() -> None:
    load = EngineLoad(MANY, EngineReports())
    load.count(9)
    load.report(0, Report(num_running=4, num_waiting=5))
    assert (load.room, load.num_waiting) == (0, 5)
    load.count(-9)
    assert (load.room, load.num_waiting) == (1, 0)


def test_engine_that_other_servers_share_is_full_by_fresh_reports_and_else_by_the_share() -> None:
    now_s = 50.0
    load = EngineLoad(8, EngineReports(is_shared=True, clock_s=lambda: now_s))
    assert load.room == 8, "nothing is known of the others"
    load.report(0, Report(num_running=30, num_waiting=2))
    assert load.room == 0, "those that wait are another's"
    now_s += SHARED_REPORT_LASTS_S + 0.1
    assert load.room == 8
    load.count(8)
    assert load.room == 0
    for _ in range(4):
        load.report(0, Report(num_running=30))
    assert load.room == 30, "who has all of the traffic gets all of the reports, and may have more than a share"


def test_without_reports_the_engine_is_full_once_it_has_all_its_sequences() -> None:
    load = EngineLoad(2)
    assert (load.room, load.num_waiting) == (2, 0)
    load.count(3)
    assert (load.room, load.num_waiting) == (-1, 1)


@dataclass
class ModelEngine:
    """Runs as many sequences as fit its KV cache, starts a few in a step, and reports each step late."""

    load: EngineLoad
    fits: int
    starts: int
    lag: int
    arriving: int = 0
    waiting: int = 0
    running: int = 0
    unread: int = 0
    reports: deque[Report] = field(default_factory=deque)

    def hand_on(self) -> None:
        self.arriving += 1
        self.load.count(1)

    def step(self, finishing: int, unread: int) -> None:
        """Some answers are finished; some of those are not read by their clients."""
        self.waiting, self.arriving = self.waiting + self.arriving, 0
        started = min(self.waiting, self.fits - self.running, self.starts)
        finished = min(finishing, self.running + started)
        unread = min(unread, finished)
        self.waiting, self.running = self.waiting - started, self.running + started - finished
        self.unread += unread
        self.reports.append(Report(self.running, self.waiting))
        if len(self.reports) > self.lag:
            self.load.report(0, self.reports.popleft())
        if finished > unread:
            self.load.count(unread - finished)


STEPS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6), st.integers(0, 2)), max_size=60)


@given(STEPS, st.integers(1, 30), st.integers(1, 8), st.integers(0, 1))
def test_overdue_requests_wait_here_while_some_wait_in_the_engine_and_never_for_an_idle_one(
    steps: list[tuple[int, int, int]], fits: int, starts: int, lag: int
) -> None:
    load = EngineLoad(MANY, EngineReports())
    engine = ModelEngine(load, fits, starts, lag)
    overdue = 0
    for arrivals, finishing, unread in [*steps, *[(0, 6, 0)] * 2000]:
        overdue += arrivals
        while overdue and load.room > 0:
            overdue -= 1
            engine.hand_on()
        assert load.num_sequences > 0 or not overdue, "an idle engine never holds"
        # As many as ran, or one: what it had let nobody wait for, it may get once more.
        assert engine.waiting + engine.arriving <= max(fits, 1) + starts * lag
        engine.step(finishing, unread)
    assert (overdue, engine.waiting, engine.running) == (0, 0, 0), "none is left behind"
    assert load.num_sequences == engine.unread


@pytest.mark.parametrize("fits", [1, 7, 100])
def test_burst_of_2000_within_one_step_is_held(fits: int) -> None:
    load = EngineLoad(MANY, EngineReports())
    engine = ModelEngine(load, fits, starts=1000, lag=1)
    overdue, portions, most_waiting = 2000, [], 0
    for _ in range(40):
        before = overdue
        while overdue and load.room > 0:
            overdue -= 1
            engine.hand_on()
        portions.append(before - overdue)
        most_waiting = max(most_waiting, engine.waiting + engine.arriving)
        engine.step(0, 0)
    assert portions[0] == 1
    assert engine.running == fits, "what fits is not held back"
    assert most_waiting <= fits
    assert overdue >= 2000 - 2 * fits
