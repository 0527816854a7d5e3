"""The two time budgets, and that no ranking problem fails or delays a request."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY

from registry.prompts import UnrankableContent
from serving.load import EngineLoad
from serving.ranking import Place, Ranking
from tests.serving.fakes import FakeRanker


@pytest.fixture
def ranker() -> FakeRanker:
    return FakeRanker()


@pytest.fixture
def load() -> EngineLoad:
    return EngineLoad(max_num_seqs=2)


@pytest.fixture
async def ranking(ranker: FakeRanker, load: EngineLoad) -> AsyncIterator[Ranking]:
    ranking = Ranking(lambda: ranker, load, budget_s=0.05, backlog_s=0.5)
    yield ranking
    ranker.may_go_on.set()
    ranking.close()


def fail_opens(reason: str) -> float:
    return REGISTRY.get_sample_value("pars_ranking_fail_opens_total", {"reason": reason}) or 0.0


async def test_ranked_request_gets_its_place_and_is_counted_into_the_engine(ranking: Ranking, load: EngineLoad) -> None:
    assert await ranking.find_place("three short words", None) == Place(0.3)
    assert load.num_sequences == 1
    assert await ranking.find_place("three short words", 1.0, num_sequences=4) == Place(0.1)
    assert load.num_sequences == 5


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
    ranking: Ranking, ranker: FakeRanker, load: EngineLoad, error: Exception, reason: str
) -> None:
    before, ranker.error = fail_opens(reason), error
    assert await ranking.find_place("a b", None) == Place(0.5, reason)
    assert await ranking.find_place("a b", 2.0) == Place(0.2, reason)
    assert fail_opens(reason) == before + 2
    assert load.num_sequences == 2


async def test_log_says_once_that_ranking_fails_and_never_quotes_the_prompt(
    ranking: Ranking, ranker: FakeRanker, caplog: pytest.LogCaptureFixture
) -> None:
    ranker.error = ValueError("cannot read 'my secret'")
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            await ranking.find_place("my secret", None)
    assert [record.getMessage() for record in caplog.records] == [
        "A request takes the median's place, because its ranking failed: error (ValueError)."
    ]


async def test_hanging_ranker_holds_a_request_for_the_budget_while_the_engine_is_free(
    ranking: Ranking, ranker: FakeRanker
) -> None:
    ranker.may_go_on.clear()
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    assert await ranking.find_place("a", None) == Place(0.5, "budget")
    assert 0.04 < loop.time() - started_s < 0.4


@pytest.mark.parametrize("is_full", [True, False])
async def test_prediction_that_was_made_in_time_is_used_though_the_event_loop_was_too_busy_to_hear_of_it(
    ranking: Ranking, ranker: FakeRanker, load: EngineLoad, is_full: bool
) -> None:
    ranking.budget_s, ranking.backlog_s = (30, 0) if is_full else (0, 30)
    load.enter(2 if is_full else 0)
    ranker.may_go_on.clear()

    def be_busy_until_ranked() -> None:
        ranker.may_go_on.set()
        time.sleep(0.2)

    task = asyncio.create_task(ranking.find_place("a b", None))
    asyncio.get_running_loop().call_soon(asyncio.get_running_loop().call_soon, be_busy_until_ranked)
    assert await task == Place(0.2), "the loop was busy in the round in which the budget ended"


async def test_hanging_ranker_holds_a_request_for_the_backlog_budget_while_the_engine_is_full(
    ranking: Ranking, ranker: FakeRanker, load: EngineLoad
) -> None:
    ranker.may_go_on.clear()
    load.enter(2)
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    assert await ranking.find_place("a", None) == Place(0.5, "backlog")
    assert 0.45 < loop.time() - started_s < 1


async def test_when_the_budget_ends_only_as_many_fail_open_as_the_engine_has_free_sequences(
    ranking: Ranking, ranker: FakeRanker, load: EngineLoad
) -> None:
    ranker.may_go_on.clear()
    burst = [asyncio.create_task(ranking.find_place("a b c", None)) for _ in range(10)]
    await asyncio.sleep(0.15)
    assert [task.result() for task in burst if task.done()] == [Place(0.5, "budget")] * 2
    assert load.num_free == 0
    ranker.may_go_on.set()
    places = await asyncio.gather(*burst)
    assert places.count(Place(0.3)) == 8


async def test_sequence_that_becomes_free_lets_the_oldest_overdue_request_go(
    ranking: Ranking, ranker: FakeRanker, load: EngineLoad
) -> None:
    ranker.may_go_on.clear()
    load.enter(2)
    first, second = [asyncio.create_task(ranking.find_place("a", None)) for _ in range(2)]
    await asyncio.sleep(0.1)
    assert not first.done()
    load.leave(1)
    assert await first == Place(0.5, "budget")
    assert not second.done()
    assert load.num_free == 0
    second.cancel()


async def test_overdue_request_that_was_cancelled_just_now_is_passed_over(
    ranking: Ranking, ranker: FakeRanker, load: EngineLoad
) -> None:
    ranker.may_go_on.clear()
    load.enter(2)
    gone, next_one = [asyncio.create_task(ranking.find_place("a", None)) for _ in range(2)]
    await asyncio.sleep(0.1)
    gone.cancel()
    load.leave(1)
    assert await next_one == Place(0.5, "budget")
    assert gone.cancelled()
    assert load.num_sequences == 2


async def test_what_nobody_waits_for_is_not_computed_and_late_results_are_thrown_away(
    ranking: Ranking, ranker: FakeRanker
) -> None:
    ranker.may_go_on.clear()
    reasons = [(await ranking.find_place(name, None)).reason for name in ("one", "two", "three")]
    assert reasons == ["budget", "budget", "backlog"], "the first two have filled the engine"
    ranker.may_go_on.set()
    await asyncio.sleep(0.05)
    assert await ranking.find_place("four", None) == Place(0.1)
    assert ranker.asked == ["one", "four"]


async def test_cancelled_request_is_neither_computed_nor_counted(
    ranking: Ranking, ranker: FakeRanker, load: EngineLoad
) -> None:
    ranker.may_go_on.clear()
    hanging, *gone = [asyncio.create_task(ranking.find_place(name, None)) for name in ("a", "b", "c", "d")]
    await asyncio.sleep(0.01)
    for task in gone:
        task.cancel()
    await asyncio.wait(gone)
    ranker.may_go_on.set()
    await hanging
    await asyncio.sleep(0.05)
    assert ranker.asked == ["a"]
    assert load.num_sequences == 1


async def test_request_cancelled_just_after_its_place_was_found_is_counted_out_again(
    ranking: Ranking, ranker: FakeRanker, load: EngineLoad
) -> None:
    task = asyncio.create_task(ranking.find_place("a", None))
    while load.num_sequences == 0:
        await asyncio.sleep(0)
    was_running = task.cancel()
    await asyncio.wait([task])
    assert load.num_sequences == (0 if was_running else 1)


async def test_ranking_resumes_when_the_ranker_recovers(ranking: Ranking, ranker: FakeRanker, load: EngineLoad) -> None:
    ranker.may_go_on.clear()
    assert (await ranking.find_place("a b", None)).reason == "budget"
    ranker.may_go_on.set()
    assert await ranking.find_place("a b", None) == Place(0.2)
    ranker.error = RuntimeError()
    assert (await ranking.find_place("a b", None)).reason == "error"
    ranker.error = None
    assert await ranking.find_place("a b", None) == Place(0.2)


async def test_burst_of_300_on_a_quick_ranker_is_ranked_whole(ranking: Ranking, load: EngineLoad) -> None:
    ranking.budget_s = ranking.backlog_s = 30  # a busy machine makes no ranker quick
    places = await asyncio.gather(*(ranking.find_place("a " * (1 + index % 9), None) for index in range(300)))
    assert [place.quantile for place in places] == [(1 + index % 9) / 10 for index in range(300)]
    assert load.num_sequences == 300


async def hang(ranking: Ranking, ranker: FakeRanker) -> None:
    """Let the ranker hang for longer than the backlog budget."""
    ranker.may_go_on.clear()
    await ranking.find_place("hangs", None)
    await asyncio.sleep(ranking.backlog_s)


async def test_while_the_ranker_hangs_requests_are_not_held_and_nothing_piles_up(
    ranking: Ranking, ranker: FakeRanker, load: EngineLoad
) -> None:
    before = fail_opens("hanging")
    await hang(ranking, ranker)
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    places = await asyncio.gather(*(ranking.find_place("a b", cap) for cap in [None, 2.0] * 500))
    assert places == [Place(0.5, "hanging"), Place(0.2, "hanging")] * 500
    assert loop.time() - started_s < 0.4, "not even as long as the backlog budget, though the engine is full"
    assert fail_opens("hanging") == before + 1000
    assert load.num_sequences == 1001
    ranker.may_go_on.set()
    await asyncio.sleep(0.05)
    assert await ranking.find_place("a b", None) == Place(0.2)
    assert ranker.asked == ["hangs", "a b"]


async def test_swap_cures_a_ranker_that_hangs_for_ever(load: EngineLoad) -> None:
    hanging, successor = FakeRanker(), FakeRanker()
    served = hanging
    ranking = Ranking(lambda: served, load, budget_s=0.05, backlog_s=0.3)
    await hang(ranking, hanging)
    assert (await ranking.find_place("a b", None)).reason == "hanging"
    served = successor
    assert await ranking.find_place("a b", None) == Place(0.2)
    assert hanging.asked == ["hangs"]
    hanging.may_go_on.set()
    ranking.close()


async def test_when_the_queue_is_too_long_for_the_backlog_budget_new_requests_are_not_held(
    ranking: Ranking, ranker: FakeRanker, load: EngineLoad
) -> None:
    before, ranker.seconds = fail_opens("overloaded"), 0.02
    load.enter(2)
    await asyncio.gather(*(ranking.find_place("a b", None) for _ in range(5)))
    places = await asyncio.gather(*(ranking.find_place("a b", None) for _ in range(100)))
    num_overloaded = places.count(Place(0.5, "overloaded"))
    assert 60 < num_overloaded < 98, "0.5 s are enough for about 25, on a busy machine for fewer"
    assert fail_opens("overloaded") == before + num_overloaded
    assert ranker.asked.count("a b") <= 105 - num_overloaded
    ranker.seconds = 0
    for _ in range(32):
        assert await ranking.find_place("a b", None) == Place(0.2)
    places = await asyncio.gather(*(ranking.find_place("a b", None) for _ in range(100)))
    assert places == [Place(0.2)] * 100


@pytest.mark.parametrize("is_full", [True, False])
async def test_no_request_is_held_longer_than_its_budget_whatever_the_ranker_does(is_full: bool) -> None:
    ranker, load = FakeRanker(), EngineLoad(max_num_seqs=1_000_000)
    load.enter(1_000_000 if is_full else 0)
    ranking = Ranking(lambda: ranker, load, budget_s=0.05, backlog_s=0.2)
    loop = asyncio.get_running_loop()
    held_s: list[float] = []

    async def ask() -> None:
        started_s = loop.time()
        await ranking.find_place("a b", None)
        held_s.append(loop.time() - started_s)

    asked = []
    for step in range(90):
        {5: ranker.may_go_on.clear, 60: ranker.may_go_on.set}.get(step, lambda: None)()
        ranker.error = RuntimeError("raises") if 70 <= step < 75 else None
        ranker.seconds = 0.1 if step >= 80 else 0
        asked += [asyncio.create_task(ask()) for _ in range(5)]
        await asyncio.sleep(0.02)
    await asyncio.gather(*asked)
    ranking.close()
    assert len(held_s) == 450
    assert max(held_s) < (0.2 if is_full else 0.05) + 0.5, "it hangs for 1.1 s; half a second for a busy machine"
