"""The two time budgets of a queue, and who is counted into the engine."""

import asyncio
import time

import pytest

from serving.ranking.load import EngineLoad
from serving.request_stages import Place
from tests.serving.fakes import FakeRanker, KeptSeats


async def test_ranked_request_gets_its_place_and_is_counted_into_the_engine(queue: KeptSeats, load: EngineLoad) -> None:
    assert await queue.find_place("three short words", None) == Place(0.3)
    assert load.num_sequences == 1
    assert await queue.find_place("three short words", 1.0, num_sequences=4) == Place(0.1)
    assert load.num_sequences == 5


async def test_hanging_ranker_holds_a_request_for_the_budget_while_the_engine_is_free(
    queue: KeptSeats, ranker: FakeRanker
) -> None:
    ranker.may_go_on.clear()
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    assert await queue.find_place("a", None) == Place(0.5, "budget")
    assert loop.time() - started_s > 0.04


@pytest.mark.parametrize("is_full", [True, False])
async def test_prediction_that_was_made_in_time_is_used_though_the_event_loop_was_too_busy_to_hear_of_it(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad, is_full: bool
) -> None:
    queue.budget_s, queue.backlog_s = (30, 0) if is_full else (0, 30)
    load.count(2 if is_full else 0)
    ranker.may_go_on.clear()

    def be_busy_until_ranked() -> None:
        ranker.may_go_on.set()
        time.sleep(0.2)

    task = asyncio.create_task(queue.find_place("a b", None))
    asyncio.get_running_loop().call_soon(asyncio.get_running_loop().call_soon, be_busy_until_ranked)
    assert await task == Place(0.2), "the loop was busy in the round in which the budget ended"


async def test_hanging_ranker_holds_a_request_for_the_backlog_budget_while_the_engine_is_full(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    ranker.may_go_on.clear()
    load.count(2)
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    assert await queue.find_place("a", None) == Place(0.5, "backlog")
    assert loop.time() - started_s > 0.45


async def test_when_the_budget_ends_only_as_many_fail_open_as_the_engine_has_free_sequences(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    ranker.may_go_on.clear()
    burst = [asyncio.create_task(queue.find_place("a b c", None)) for _ in range(10)]
    await asyncio.sleep(0.15)
    assert [task.result() for task in burst if task.done()] == [Place(0.5, "budget")] * 2
    assert load.room == 0
    ranker.may_go_on.set()
    places = await asyncio.gather(*burst)
    assert places.count(Place(0.3)) == 8


async def test_sequence_that_becomes_free_lets_the_oldest_overdue_request_go(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    ranker.may_go_on.clear()
    load.count(2)
    first, second = [asyncio.create_task(queue.find_place("a", None)) for _ in range(2)]
    await asyncio.sleep(0.1)
    assert not first.done()
    load.count(-1)
    assert await first == Place(0.5, "budget")
    assert not second.done()
    assert load.room == 0
    second.cancel()


async def test_overdue_request_that_was_cancelled_just_now_is_passed_over(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    ranker.may_go_on.clear()
    load.count(2)
    gone, next_one = [asyncio.create_task(queue.find_place("a", None)) for _ in range(2)]
    await asyncio.sleep(0.1)
    gone.cancel()
    load.count(-1)
    assert await next_one == Place(0.5, "budget")
    assert gone.cancelled()
    assert load.num_sequences == 2


async def test_what_nobody_waits_for_is_not_computed_and_late_results_are_thrown_away(
    queue: KeptSeats, ranker: FakeRanker
) -> None:
    ranker.may_go_on.clear()
    reasons = [(await queue.find_place(name, None)).reason for name in ("one", "two", "three")]
    assert reasons == ["budget", "budget", "backlog"], "the first two have filled the engine"
    ranker.may_go_on.set()
    await asyncio.sleep(0.05)
    assert await queue.find_place("four", None) == Place(0.1)
    assert ranker.asked == ["one", "four"]


async def test_cancelled_request_is_neither_computed_nor_counted(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    ranker.may_go_on.clear()
    hanging, *gone = [asyncio.create_task(queue.find_place(name, None)) for name in ("a", "b", "c", "d")]
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
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    task = asyncio.create_task(queue.find_place("a", None))
    while load.num_sequences == 0:
        await asyncio.sleep(0)
    was_running = task.cancel()
    await asyncio.wait([task])
    assert load.num_sequences == (0 if was_running else 1)


async def test_burst_of_300_on_a_quick_ranker_is_ranked_whole(queue: KeptSeats, load: EngineLoad) -> None:
    queue.budget_s = queue.backlog_s = 30  # a busy machine makes no ranker quick
    places = await asyncio.gather(*(queue.find_place("a " * (1 + index % 9), None) for index in range(300)))
    assert [place.quantile for place in places] == [(1 + index % 9) / 10 for index in range(300)]
    assert load.num_sequences == 300
