"""Rankers that raise, hang or are slow: no request fails or waits for long, and each one is counted."""

import asyncio
import logging

import pytest
from prometheus_client import REGISTRY

from registry.request import UnrankableContent
from serving.ranking.hold import UNPLACED_S
from serving.ranking.load import EngineLoad
from serving.request_stages import Place
from tests.serving.fakes import FakeRanker, KeptSeats

TICK_S = 0.005


def fail_opens(reason: str) -> float:
    labels = {"reason": reason, "target_llm": "demo-llm"}
    return REGISTRY.get_sample_value("pars_ranking_fail_opens_total", labels) or 0.0


def holds() -> float:
    return REGISTRY.get_sample_value("pars_ranking_hold_seconds_count", {"target_llm": "demo-llm"}) or 0.0


def tier_failures(tier: str, reason: str) -> float:
    labels = {"tier": tier, "reason": reason, "target_llm": "demo-llm"}
    return REGISTRY.get_sample_value("pars_ranking_tier_failures_total", labels) or 0.0


ERRORS = [(RuntimeError("out of memory"), "error"), (MemoryError(), "error"), (FloatingPointError("nan"), "not_finite")]


@pytest.mark.parametrize(("error", "reason"), [*ERRORS, (UnrankableContent("empty"), "empty")])
async def test_error_of_the_only_tier_gives_the_median_and_is_counted(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad, error: Exception, reason: str
) -> None:
    before, ranker.error = fail_opens(reason), error
    assert await queue.find_place("a b", None) == Place(0.5, reason)
    assert await queue.find_place("a b", 2.0) == Place(0.2, reason)
    assert fail_opens(reason) == before + 2
    assert load.num_sequences == 2


@pytest.mark.parametrize(("error", "reason"), ERRORS)
async def test_one_tier_stands_in_for_the_other_and_the_failure_is_counted(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad, error: Exception, reason: str
) -> None:
    opened, failed = fail_opens(reason), {tier: tier_failures(tier, reason) for tier in ("encoder", "instant")}
    load.count(2)
    ranker.has_instant, ranker.error = True, error
    assert await queue.find_place("a b", None) == Place(0.1, tier="instant")
    ranker.error, ranker.instant_error = None, error
    assert await queue.find_place("a b", None) == Place(0.2, tier="encoder")
    assert {tier: tier_failures(tier, reason) - before for tier, before in failed.items()} == {
        "encoder": 1,
        "instant": 1,
    }
    assert fail_opens(reason) == opened
    ranker.error = error
    assert await queue.find_place("a b", None) == Place(0.5, reason), "neither"
    assert fail_opens(reason) == opened + 1


async def test_text_that_the_instant_tier_finds_empty_waits_for_nothing(queue: KeptSeats, ranker: FakeRanker) -> None:
    ranker.has_instant, ranker.instant_error = True, UnrankableContent("empty")
    assert await queue.find_place(" ", None) == Place(0.5, "empty")
    assert ranker.asked == []


async def test_log_says_once_that_ranking_fails_and_never_quotes_the_prompt(
    queue: KeptSeats, ranker: FakeRanker, caplog: pytest.LogCaptureFixture
) -> None:
    ranker.error = ValueError("cannot read 'my secret'")
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            await queue.find_place("my secret", None)
    assert [record.getMessage() for record in caplog.records] == [
        "The encoder tier of the ranker has failed: error (ValueError).",
        "A request takes the median's place, since no tier of the ranker placed it: error.",
    ]


async def test_ranking_resumes_when_the_ranker_recovers(queue: KeptSeats, ranker: FakeRanker, load: EngineLoad) -> None:
    ranker.may_go_on.clear()
    assert (await queue.find_place("a b", None)).reason == "budget"
    ranker.may_go_on.set()
    assert await queue.find_place("a b", None) == Place(0.2, tier="encoder")
    ranker.error = RuntimeError()
    assert (await queue.find_place("a b", None)).reason == "error"
    ranker.error = None
    assert await queue.find_place("a b", None) == Place(0.2, tier="encoder")


async def hang(queue: KeptSeats, ranker: FakeRanker) -> None:
    """Let the encoder hang for longer than the backlog budget."""
    ranker.may_go_on.clear()
    await queue.find_place("hangs", None)
    await asyncio.sleep(queue.backlog_s)


@pytest.mark.parametrize("has_instant", [False, True])
async def test_while_the_encoder_hangs_requests_are_not_held_and_nothing_piles_up(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad, has_instant: bool
) -> None:
    load.count(2)
    await hang(queue, ranker)
    ranker.has_instant = has_instant
    opened, failed = fail_opens("hanging"), tier_failures("encoder", "hanging")
    held = holds()
    places = await asyncio.gather(*(queue.find_place("a b c d", cap) for cap in [None, 1.0] * 500))
    expected = [Place(0.2, tier="instant"), Place(0.1, tier="instant")] if has_instant else []
    assert places == (expected or [Place(0.5, "hanging"), Place(0.1, "hanging")]) * 500
    assert holds() == held
    assert fail_opens("hanging") == opened + (0 if has_instant else 1000)
    assert tier_failures("encoder", "hanging") == failed + 1000
    ranker.may_go_on.set()
    await asyncio.sleep(0.05)
    assert await queue.find_place("a b", None) == Place(0.2, tier="encoder")
    assert ranker.asked == ["hangs", "a b"]


async def test_swap_cures_a_ranker_that_hangs_for_ever(load: EngineLoad) -> None:
    hanging, successor = FakeRanker(), FakeRanker()
    served = hanging
    queue = KeptSeats(lambda: served, load, backlog_s=0.3)
    await hang(queue, hanging)
    assert (await queue.find_place("a b", None)).reason == "hanging"
    served = successor
    assert await queue.find_place("a b", None) == Place(0.2, tier="encoder")
    assert hanging.asked == ["hangs"]
    hanging.may_go_on.set()
    queue.close()


async def test_encoder_that_cannot_keep_up_is_not_waited_for_and_nobody_is_refused(
    queue: KeptSeats, ranker: FakeRanker, load: EngineLoad
) -> None:
    load.count(2)
    ranker.has_instant, ranker.seconds = True, 0.02
    places = await asyncio.gather(*(queue.find_place("a b", None) for _ in range(100)))
    num_read = places.count(Place(0.2, tier="encoder"))
    assert 2 <= num_read < 40, "0.5 s are enough for about 25, on a busy machine for fewer"
    assert places.count(Place(0.1, tier="instant")) == 100 - num_read
    await asyncio.sleep(0.1)
    # One is being read when time is up, and another may have been read at that very moment.
    assert len(ranker.asked) <= num_read + 2, "what was let go is not read"


@pytest.mark.parametrize("is_full", [True, False])
async def test_no_request_is_held_longer_than_it_may_be_whatever_the_ranker_does(is_full: bool) -> None:
    ranker, load = FakeRanker(), EngineLoad(max_num_seqs=1_000_000)
    load.count(1_000_000 if is_full else 0)
    queue = KeptSeats(lambda: ranker, load, backlog_s=0.2)
    limit_s = queue.backlog_s if is_full else UNPLACED_S
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
