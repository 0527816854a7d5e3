"""The last step before the engine: in which order requests go on, who is held, and who is counted in."""

import asyncio
import time
from itertools import count

import pytest

from serving.ranking.load import EngineLoad
from serving.ranking.turnstile import Candidate, Turnstile
from serving.request_stages import Place
from tests.serving.fakes import FakeRanker, KeptSeats


@pytest.fixture
def ranker(request: pytest.FixtureRequest) -> FakeRanker:
    return FakeRanker(has_instant=True)


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_while_the_engine_could_take_it_a_request_has_the_instant_place_at_once(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    task = asyncio.create_task(queue.find_place("three short words", None))
    await turns(4)
    assert task.done(), "no time passes, but one turn for whoever came together with it"
    assert task.result() == Place(0.15, tier="instant")
    assert load.num_sequences == 1
    assert await queue.find_place("three short words", 1.0, num_sequences=4) == Place(0.1, tier="instant")
    assert load.num_sequences == 5
    assert ranker.asked == [], "the encoder has not cost anything"


async def test_while_others_wait_it_is_held_for_the_encoder_whose_place_stands(
    queue: KeptSeats, load: EngineLoad
) -> None:
    load.count(3)
    assert await queue.find_place("three short words", None) == Place(0.3, tier="encoder")
    assert load.num_sequences == 4


async def test_what_the_encoder_has_read_lately_is_not_held(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    load.count(3)
    ranker.remembered["again"] = 7.0
    ranker.may_go_on.clear()
    assert await queue.find_place("again", None) == Place(0.7, tier="encoder")
    assert await queue.find_place("again", 2.0) == Place(0.2, tier="encoder")


async def test_after_the_backlog_budget_the_instant_place_stands(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    ranker.may_go_on.clear()
    load.count(2)
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    assert await queue.find_place("a b", None) == Place(0.1, tier="instant")
    assert loop.time() - started_s > 0.45


async def test_what_arrived_together_goes_by_its_place_and_no_more_than_the_engine_can_take(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    ranker.may_go_on.clear()
    gone: list[int] = []

    async def ask(words: int) -> None:
        await queue.find_place("a " * words, None)
        gone.append(words)

    tasks = [asyncio.create_task(ask(words)) for words in (5, 3, 4, 1, 2)]
    await turns(5)
    assert gone == [1, 2]
    assert load.room == 0
    load.count(-1)
    await turns(5)
    assert gone == [1, 2, 3]
    ranker.may_go_on.set()
    await asyncio.gather(*tasks)
    assert gone[3:] in ([4, 5], [5, 4])


async def test_encoder_reads_those_first_that_would_go_first(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    load.count(2)
    ranker.may_go_on.clear()
    plug = asyncio.create_task(queue.find_place("plug", None))
    await turns(5)
    tasks = [asyncio.create_task(queue.find_place("a " * words, None)) for words in (5, 3, 4)]
    await turns(5)
    ranker.may_go_on.set()
    await asyncio.gather(plug, *tasks)
    assert [len(text.split()) for text in ranker.asked] == [1, 3, 4, 5]


async def test_fixed_priorities_pass_in_their_order_among_the_others_and_are_not_held(load: EngineLoad) -> None:
    turnstile, gone = Turnstile(load, 2.0), []
    load.count(5)

    async def ask(priority: int) -> None:
        with load.seat(1) as seat:
            await turnstile.wait(Candidate(seat, Place(0.5), lambda _: priority))
            gone.append(priority)

    await asyncio.gather(*(ask(priority) for priority in (3, -2, 10**18, 1)))
    assert gone == [-2, 1, 3, 10**18]
    assert load.num_sequences == 5


async def test_prediction_that_was_made_in_time_is_used_though_the_event_loop_was_too_busy_to_hear_of_it(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    load.count(2)
    ranker.may_go_on.clear()
    task = asyncio.create_task(queue.find_place("a b", None))
    await asyncio.sleep(0.05)
    load.count(-1)  # it is let go in the next turn
    ranker.may_go_on.set()
    time.sleep(0.2)
    assert await task == Place(0.2, tier="encoder")


async def test_cancelled_request_is_neither_computed_nor_counted(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    load.count(2)
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
    assert load.num_sequences == 3


async def test_request_cancelled_in_the_turn_in_which_it_would_go_takes_no_room(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    ranker.may_go_on.clear()
    load.count(2)
    gone, next_one = [asyncio.create_task(queue.find_place(name, None)) for name in ("a", "a b")]
    await asyncio.sleep(0.01)
    gone.cancel()
    load.count(-1)
    assert await next_one == Place(0.1, tier="instant")
    assert gone.cancelled()
    assert load.num_sequences == 2


@pytest.mark.parametrize("patience_turns", range(8))
async def test_whenever_a_request_is_cancelled_it_is_counted_out_again(
    queue: KeptSeats, load: EngineLoad, patience_turns: int
) -> None:
    task = asyncio.create_task(queue.find_place("a", None))
    await turns(patience_turns)
    was_running = task.cancel()
    await asyncio.wait([task])
    assert load.num_sequences == (0 if was_running else 1)


async def test_burst_of_2000_has_a_place_each_whatever_the_encoder_does(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    ranker.may_go_on.clear()
    places = await asyncio.gather(*(queue.find_place("a " * (1 + index % 9), None) for index in range(2000)))
    assert [place.quantile for place in places] == [(1 + index % 9) / 20 for index in range(2000)]
    assert load.num_sequences == 2000


async def test_with_the_encoder_alone_a_request_is_held_for_it_also_while_there_is_room(load: EngineLoad) -> None:
    ranker = FakeRanker()
    queue = KeptSeats(lambda: ranker, load, backlog_s=0.5)
    assert await queue.find_place("three short words", None) == Place(0.3, tier="encoder")
    assert await queue.find_place("three short words", 1.0) == Place(0.1, tier="encoder")
    queue.close()


@pytest.mark.parametrize(("num_before", "reason", "least_s"), [(0, "budget", 0.04), (2, "backlog", 0.45)])
async def test_encoder_alone_that_hangs_holds_up_for_a_moment_or_the_backlog_budget(
    load: EngineLoad, num_before: int, reason: str, least_s: float
) -> None:
    ranker = FakeRanker()
    ranker.may_go_on.clear()
    queue = KeptSeats(lambda: ranker, load, backlog_s=0.5)
    load.count(num_before)
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    assert await queue.find_place("a", None) == Place(0.5, reason)
    assert least_s < loop.time() - started_s
    ranker.may_go_on.set()
    queue.close()


async def test_no_two_requests_share_a_turn_for_ever(queue: KeptSeats, load: EngineLoad) -> None:
    """Newcomers do not keep those before them from going on."""
    numbers = count()
    tasks = []
    for _ in range(20):
        tasks.append(asyncio.create_task(queue.find_place(f"a {next(numbers)}", None)))
        await turns(1)
    load.count(-len(tasks))
    await turns(3)
    assert tasks[0].done()
    await asyncio.gather(*tasks)
