"""The replay's client against a small endpoint of our own; the real one stands in test_replay.py."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace as changed

import numpy as np
import pandas as pd
import pytest

from benchmarks.endpoint.client import replay
from benchmarks.endpoint.client_limits import late
from benchmarks.endpoint.endpoint import Endpoint, connect
from benchmarks.endpoint.plan import PlannedRequest
from benchmarks.endpoint.priorities import fcfs, pars
from benchmarks.failures import ReplayError
from tests.benchmarks.endpoints import PREFILL_S, FakeEndpoint, serving

REQUESTS = [PlannedRequest("Hi", 3, 0.0), PlannedRequest("Hello you", 2, 0.05)]


@pytest.fixture
def fake() -> FakeEndpoint:
    return FakeEndpoint()


@pytest.fixture
def endpoint(fake: FakeEndpoint) -> Iterator[Endpoint]:
    with serving(fake) as url:
        yield Endpoint(url, "llm")


async def test_answers_keep_the_order_and_are_timed_from_the_send(endpoint: Endpoint) -> None:
    first, second = await replay(endpoint, REQUESTS, pars)
    assert (first.output_tokens, second.output_tokens) == (3, 2)
    assert (first.prompt_tokens, second.prompt_tokens) == (1, 2)
    assert second.sent_s >= 0.05 > first.sent_s
    assert all(0 < one.accepted_s < one.ttft_s <= one.e2e_s for one in (first, second))


async def test_lag_is_how_much_later_than_planned_a_request_was_sent(endpoint: Endpoint) -> None:
    answers = await replay(endpoint, REQUESTS, pars)
    assert [one.sent_s for one in answers] == [one.send_s for one in REQUESTS]
    assert all(0 <= one.lag_s <= one.accepted_s for one in answers)


class Clock:
    """The machine's, and what a test sets it forward by."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.perf_counter() + self.ahead_s


async def test_client_that_is_blocked_counts_its_lag_as_waiting(endpoint: Endpoint) -> None:
    clock = Clock()

    def block_once(index: int, _sent_us: int) -> None:
        if index == 0:
            clock.ahead_s = 30.0  # the event loop stands still, so that the second request is not sent when it is due

    first, second = await replay(endpoint, REQUESTS, block_once, clock=clock)
    assert second.sent_s == 0.05
    assert second.lag_s == pytest.approx(29.95, abs=1)
    assert second.e2e_s > second.ttft_s > second.accepted_s >= second.lag_s
    assert late(pd.DataFrame([first, second]).assign(policy="fcfs", load=np.nan), 0.01)


async def test_last_token_ends_an_answer_and_not_what_follows_it(fake: FakeEndpoint, endpoint: Endpoint) -> None:
    fake.ending_s = 0.5
    first, second = await replay(endpoint, REQUESTS, pars)
    assert max(first.e2e_s, second.e2e_s) < 0.5


CHAT = [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Hi"}]


async def test_chat_is_sent_as_messages_and_timed_to_its_first_token(fake: FakeEndpoint, endpoint: Endpoint) -> None:
    chat = PlannedRequest("system: Be kind\n\nuser: Hi", 3, 0.0, chat=CHAT)
    (answer,) = await replay(endpoint, [chat], fcfs)
    (body,) = fake.bodies
    assert (body["messages"], body["max_completion_tokens"], body["ignore_eos"]) == (CHAT, 3, True)
    assert body["priority"] > 0
    assert "prompt" not in body
    assert (answer.output_tokens, answer.prompt_tokens) == (3, 3)
    assert answer.ttft_s - answer.accepted_s >= PREFILL_S / 2  # the role alone is no token


async def test_refused_chat_says_how_to_send_completions(fake: FakeEndpoint, endpoint: Endpoint) -> None:
    fake.status = 400
    with pytest.raises(ReplayError, match="api=completions"):
        await replay(endpoint, [PlannedRequest("Hi", 3, 0.0, chat=CHAT)], fcfs)


@pytest.mark.parametrize(("owner", "num_salts"), [("vllm", 2), ("sglang", 2), ("openai", 0)])
def test_each_replay_has_a_prefix_cache_of_its_own(owner: str, num_salts: int) -> None:
    fake = FakeEndpoint(owner=owner)
    with serving(fake) as url:
        for _ in range(2):
            asyncio.run(replay(connect(url), REQUESTS, pars))
    salts = [body["cache_salt"] for body in fake.bodies if "cache_salt" in body]
    assert len(salts) == 2 * num_salts
    assert len(set(salts)) == num_salts


async def test_recorded_lengths_are_imposed(fake: FakeEndpoint, endpoint: Endpoint) -> None:
    await replay(endpoint, REQUESTS, pars)
    assert [(body["max_tokens"], body["ignore_eos"]) for body in fake.bodies] == [(3, True), (2, True)]
    assert all("priority" not in body for body in fake.bodies)


async def test_priority_of_the_policy_is_sent(fake: FakeEndpoint, endpoint: Endpoint) -> None:
    await replay(endpoint, REQUESTS, fcfs)
    first, second = (body["priority"] for body in fake.bodies)
    assert 0 < first < second


async def test_key_is_sent_and_not_shown(fake: FakeEndpoint, endpoint: Endpoint) -> None:
    secret = Endpoint(endpoint.url, "llm", api_key="not-a-secret")
    await replay(secret, REQUESTS, pars)
    assert fake.keys == {"Bearer not-a-secret"}
    assert "not-a-secret" not in repr(secret)


@pytest.mark.parametrize(("newline", "field"), [("\r\n", "data: "), ("\r", "data:"), ("\n", ": hm\nid: 1\ndata:")])
async def test_events_may_have_any_legal_form(fake: FakeEndpoint, endpoint: Endpoint, newline: str, field: str) -> None:
    fake.newline, fake.field = newline, field
    first, second = await replay(endpoint, REQUESTS, fcfs)
    assert (first.output_tokens, second.output_tokens) == (3, 2)
    assert all(one.accepted_s < one.ttft_s <= one.e2e_s for one in (first, second))


async def test_refused_request_ends_the_replay(fake: FakeEndpoint, endpoint: Endpoint) -> None:
    fake.status = 503
    with pytest.raises(ReplayError, match="503: no room"):
        await replay(endpoint, REQUESTS, fcfs)


async def test_answer_of_another_length_ends_the_replay(fake: FakeEndpoint, endpoint: Endpoint) -> None:
    fake.extra_tokens = 1
    with pytest.raises(ReplayError, match="recorded 3 tokens"):
        await replay(endpoint, REQUESTS, fcfs)


async def test_answers_end_by_themselves_where_no_length_is_imposed(fake: FakeEndpoint, endpoint: Endpoint) -> None:
    requests = [changed(one, limit_tokens=20) for one in REQUESTS] + [changed(REQUESTS[0], chat=CHAT, limit_tokens=9)]
    fake.ends_after = lambda text: {"Hi": 30, "Hello you": 1}.get(text, 50)
    answers = await replay(endpoint, requests, fcfs)
    assert [one.output_tokens for one in answers] == [20, 1, 9]
    assert all("ignore_eos" not in body for body in fake.bodies)
