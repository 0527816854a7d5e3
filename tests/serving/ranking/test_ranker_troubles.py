"""Rankers that raise, hang or are slow: no request fails or waits for long, and each one is counted."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import pytest
from prometheus_client import REGISTRY

from registry.request import UnrankableContent
from serving.ranking.load import EngineLoad
from serving.request_stages import Place
from tests.serving.fakes import FakeRanker, KeptSeats

TICK_S = 0.005


def fail_opens(reason: str) -> float:
    labels = {"reason": reason, "target_llm": "demo-llm"}
    return REGISTRY.get_sample_value("pars_ranking_fail_opens_total", labels) or 0.0


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("out of memory"), "error"),
        (MemoryError(), "error"),
        (FloatingPointError("nan"), "not_finite"),
        (UnrankableContent("empty"), "empty"),
    ],
)
async def test_error_gives_the_median_and_is_counted(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad, error: Exception, reason: str
) -> None:
    before, ranker.error = fail_opens(reason), error
    assert await queue.find_place("a b", None) == Place(0.5, reason)
    assert await queue.find_place("a b", 2.0) == Place(0.2, reason)
    assert fail_opens(reason) == before + 2
    assert load.num_sequences == 2


async def test_log_says_once_that_ranking_fails_and_never_quotes_the_prompt(
    queue: KeptSeats, ranker: FakeRanker, caplog: pytest.LogCaptureFixture
) -> None:
    ranker.error = ValueError("cannot read 'my secret'")
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            await queue.find_place("my secret", None)
    assert [record.getMessage() for record in caplog.records] == [
        "A request takes the median's place, because its ranking failed: error (ValueError)."
    ]


async def test_ranking_resumes_when_the_ranker_recovers(queue: KeptSeats, ranker: FakeRanker, load: EngineLoad) -> None:
    ranker.may_go_on.clear()
    assert (await queue.find_place("a b", None)).reason == "budget"
    ranker.may_go_on.set()
    assert await queue.find_place("a b", None) == Place(0.2)
    ranker.error = RuntimeError()
    assert (await queue.find_place("a b", None)).reason == "error"
    ranker.error = None
    assert await queue.find_place("a b", None) == Place(0.2)


async def hang(queue: KeptSeats, ranker: FakeRanker) -> None:
    """Let the ranker hang for longer than the backlog budget."""
    ranker.may_go_on.clear()
    await queue.find_place("hangs", None)
    await asyncio.sleep(queue.backlog_s)


def found_at_once(finding: Coroutine[Any, Any, Place]) -> Place:
    """The place of a request that is not held: it is found without waiting for anything."""
    with pytest.raises(StopIteration) as found:
        finding.send(None)
    place: Place = found.value.value
    return place


async def test_while_the_ranker_hangs_requests_are_not_held_and_nothing_piles_up(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    before = fail_opens("hanging")
    await hang(queue, ranker)
    places = [found_at_once(queue.find_place("a b", cap)) for cap in [None, 2.0] * 500]
    assert places == [Place(0.5, "hanging"), Place(0.2, "hanging")] * 500
    assert fail_opens("hanging") == before + 1000
    assert load.num_sequences == 1001
    ranker.may_go_on.set()
    await asyncio.sleep(0.05)
    assert await queue.find_place("a b", None) == Place(0.2)
    assert ranker.asked == ["hangs", "a b"]


async def test_swap_cures_a_ranker_that_hangs_for_ever(load: EngineLoad) -> None:
    hanging, successor = FakeRanker(), FakeRanker()
    served = hanging
    queue = KeptSeats(lambda: served, load, budget_s=0.05, backlog_s=0.3)
    await hang(queue, hanging)
    assert (await queue.find_place("a b", None)).reason == "hanging"
    served = successor
    assert await queue.find_place("a b", None) == Place(0.2)
    assert hanging.asked == ["hangs"]
    hanging.may_go_on.set()
    queue.close()


async def test_when_the_queue_is_too_long_for_the_backlog_budget_new_requests_are_not_held(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    before, ranker.seconds = fail_opens("overloaded"), 0.02
    load.count(2)
    await asyncio.gather(*(queue.find_place("a b", None) for _ in range(5)))
    places = await asyncio.gather(*(queue.find_place("a b", None) for _ in range(100)))
    num_overloaded = places.count(Place(0.5, "overloaded"))
    assert 60 < num_overloaded < 98, "0.5 s are enough for about 25, on a busy machine for fewer"
    assert fail_opens("overloaded") == before + num_overloaded
    assert ranker.asked.count("a b") <= 105 - num_overloaded
    ranker.seconds = 0
    for _ in range(32):
        assert await queue.find_place("a b", None) == Place(0.2)
    places = await asyncio.gather(*(queue.find_place("a b", None) for _ in range(100)))
    assert places == [Place(0.2)] * 100


@pytest.mark.parametrize("is_full", [True, False])
async def test_no_request_is_held_longer_than_its_budget_whatever_the_ranker_does(is_full: bool) -> None:
    ranker, load = FakeRanker(), EngineLoad(max_num_seqs=1_000_000)
    load.count(1_000_000 if is_full else 0)
    queue = KeptSeats(lambda: ranker, load, budget_s=0.05, backlog_s=0.2)
    limit_s = queue.backlog_s if is_full else queue.budget_s
    loop = asyncio.get_running_loop()
    held_s: list[float] = []
    late_s = [0.0]

    async def watch_loop() -> None:
        """By how much timers are late here: a busy machine's lateness is not the queue's."""
        while True:
            due_s = loop.time() + TICK_S
            await asyncio.sleep(TICK_S)
            late_s.append(loop.time() - due_s)

    async def ask() -> None:
        started_s = loop.time()
        await queue.find_place("a b", None)
        held_s.append(loop.time() - started_s)

    watching, asked = asyncio.create_task(watch_loop()), []
    for step in range(190):
        {5: ranker.may_go_on.clear, 160: ranker.may_go_on.set}.get(step, lambda: None)()
        ranker.error = RuntimeError("raises") if 170 <= step < 175 else None
        ranker.seconds = 0.1 if step >= 180 else 0
        asked += [asyncio.create_task(ask()) for _ in range(5)]
        await asyncio.sleep(0.02)
    await asyncio.gather(*asked)
    watching.cancel()
    queue.close()
    assert len(held_s) == 950
    assert max(held_s) <= limit_s + max(late_s) + 2 * TICK_S
