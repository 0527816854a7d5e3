"""The replay's client against a small endpoint of our own; the real one stands in test_replay.py."""

from collections.abc import Iterator

import pytest

from benchmarks.endpoint.client import replay
from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.endpoint.plan import PlannedRequest
from benchmarks.endpoint.priorities import fcfs, pars
from benchmarks.failures import ReplayError
from tests.benchmarks.endpoints import FakeEndpoint, serving

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
    for request, answer in zip(REQUESTS, answers, strict=True):
        assert answer.lag_s == pytest.approx(max(answer.sent_s - request.send_s, 0))


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


async def test_answers_may_end_by_themselves_where_no_length_is_imposed(fake: FakeEndpoint, endpoint: Endpoint) -> None:
    fake.extra_tokens = -2
    first, second = await replay(endpoint, REQUESTS, fcfs, imposes_lengths=False)
    assert (first.output_tokens, second.output_tokens) == (1, 1)
    assert all("ignore_eos" not in body for body in fake.bodies)
