"""Whatever becomes of requests, once all have left nothing is counted in, held or waiting."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from serving.arrival_clock import ArrivalClock
from serving.ranking.load import EngineLoad
from serving.ranking.prioritiser import Prioritiser
from serving.ranking.reports import EngineReports, Report
from serving.request_stages import EngineRequest, HttpRequest, Size
from tests.serving.fakes import FakeRanker, make_policy, only

GAUGES = ("pars_engine_sequences", "pars_engine_waiting_sequences", "pars_requests_held")
FATES = ("answered", "refused", "fails midway", "cancelled", "leaves midway", "never asked", "by header")


async def engine(prompt: str, _params: Any, _id: str, **_: Any) -> AsyncGenerator[str, None]:
    if prompt == "refused":
        raise ValueError(prompt)
    yield "first"
    if prompt == "fails midway":
        raise RuntimeError(prompt)
    if prompt == "cancelled":
        await asyncio.Event().wait()
    yield "last"


class Traffic:
    """Requests of every fate at a ranking whose ranker may hang, before an engine that reports what it likes."""

    def __init__(self, ranker_hangs: bool, has_instant: bool) -> None:
        self.ranker = FakeRanker(has_instant=has_instant)
        if ranker_hangs:
            self.ranker.may_go_on.clear()
        self.load = EngineLoad(4, EngineReports())
        self.load.count(0)  # the gauges are the process's, and other tests have set them
        self.finder = only(lambda: self.ranker, backlog_s=0.02)
        policy = make_policy(ranking_backlog_ms=20.0)
        self.prioritiser = Prioritiser(policy, ArrivalClock(), self.load, self.finder)
        self.generate = self.prioritiser.wrap(engine)

    async def request(self, fate: str, n: int) -> None:
        if fate == "by header":
            asked = EngineRequest("demo-llm", "one two", Size(), n, 0, None)
            async with self.prioritiser.admitted(HttpRequest(ArrivalClock()), asked):
                await asyncio.sleep(0)
            return
        async with aclosing(self.generate(fate, SimpleNamespace(max_tokens=None, n=n), "id")) as outputs:
            if fate == "never asked":
                return
            async for _ in outputs:
                if fate == "leaves midway":
                    return

    async def run(self, fates: list[tuple[str, int, int]], reports: list[Report]) -> None:
        tasks = []
        for fate, n, turns in fates:
            tasks.append(asyncio.create_task(self.request(fate, n)))
            for _ in range(turns):  # those before may be anywhere by then
                await asyncio.sleep(0)
            if reports:
                self.load.report(0, reports.pop())
        await asyncio.sleep(0.002)
        for task, (fate, _, _) in zip(tasks, fates, strict=True):
            if fate == "cancelled":
                task.cancel()
        self.ranker.may_go_on.set()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)


REQUESTS = st.lists(st.tuples(st.sampled_from(FATES), st.integers(1, 3), st.integers(0, 4)), max_size=12)
REPORTS = st.lists(st.builds(Report, st.integers(0, 5), st.integers(0, 3)), max_size=12)


@settings(max_examples=60)
@given(REQUESTS, REPORTS, st.booleans(), st.booleans())
def test_after_all_have_left_nothing_is_counted_in(
    fates: list[tuple[str, int, int]], reports: list[Report], ranker_hangs: bool, has_instant: bool
) -> None:
    async def live() -> tuple[int, list[float | None]]:
        traffic = Traffic(ranker_hangs, has_instant)
        await traffic.run(fates, reports)
        traffic.finder.close()
        labels = [{}, {}, {"target_llm": "demo-llm"}]
        shown = [REGISTRY.get_sample_value(name, given) for name, given in zip(GAUGES, labels, strict=True)]
        return traffic.load.num_sequences, shown

    num_sequences, shown = asyncio.run(live())
    assert num_sequences == 0
    if fates:
        assert shown == [0, 0, 0]


async def test_meanwhile_they_are() -> None:
    traffic = Traffic(ranker_hangs=True, has_instant=True)
    traffic.load.count(9)
    traffic.load.report(0, Report(num_running=2, num_waiting=7))
    task = asyncio.create_task(traffic.request("cancelled", 3))
    for _ in range(3):  # it comes, is not let go, and is held
        await asyncio.sleep(0)
    assert REGISTRY.get_sample_value("pars_requests_held", {"target_llm": "demo-llm"}) == 1
    assert REGISTRY.get_sample_value("pars_engine_waiting_sequences") == 7
    traffic.ranker.may_go_on.set()
    async with asyncio.timeout(10):
        while traffic.load.num_sequences == 9:
            await asyncio.sleep(0.001)
    assert REGISTRY.get_sample_value("pars_engine_sequences") == 12
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    traffic.finder.close()
