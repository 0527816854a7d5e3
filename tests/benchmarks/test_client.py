"""The replay's client against a small endpoint of our own; the real one stands in test_replay.py."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from benchmarks.client import ReplayError, replay
from benchmarks.plan import PlannedRequest
from benchmarks.policies import fcfs, pars

REQUESTS = [PlannedRequest("Hi", 3, 0.0), PlannedRequest("Hello", 2, 0.05)]


class Endpoint:
    """Streams as many tokens as were asked for (and `extra_tokens` more), and keeps what it was sent."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.extra_tokens = 0
        self.status = 200

    async def complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        if self.status != 200:
            return web.Response(status=self.status, text="no room")
        response = web.StreamResponse()
        await response.prepare(request)
        num_tokens = body["max_tokens"] + self.extra_tokens
        for _ in range(num_tokens):
            await response.write(b'data: {"choices": [{"text": "x"}]}\n\n')
        usage = json.dumps({"choices": [], "usage": {"completion_tokens": num_tokens}})
        await response.write(f"data: {usage}\n\ndata: [DONE]\n\n".encode())
        return response


@pytest.fixture
async def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
async def url(endpoint: Endpoint) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/v1/completions", endpoint.complete)
    server = TestServer(app)
    await server.start_server()
    yield str(server.make_url("")).rstrip("/")
    await server.close()


async def test_answers_keep_the_order_and_are_timed_from_the_send(endpoint: Endpoint, url: str) -> None:
    first, second = await replay(url, "llm", REQUESTS, pars)
    assert (first.output_tokens, second.output_tokens) == (3, 2)
    assert second.sent_s >= 0.05 > first.sent_s
    assert all(0 < one.ttft_s <= one.e2e_s for one in (first, second))


async def test_recorded_lengths_are_imposed(endpoint: Endpoint, url: str) -> None:
    await replay(url, "llm", REQUESTS, pars)
    assert [(body["max_tokens"], body["ignore_eos"]) for body in endpoint.bodies] == [(3, True), (2, True)]
    assert all("priority" not in body for body in endpoint.bodies)


async def test_priority_of_the_policy_is_sent(endpoint: Endpoint, url: str) -> None:
    await replay(url, "llm", REQUESTS, fcfs)
    first, second = (body["priority"] for body in endpoint.bodies)
    assert 0 < first < second


async def test_refused_request_ends_the_replay(endpoint: Endpoint, url: str) -> None:
    endpoint.status = 503
    with pytest.raises(ReplayError, match="503: no room"):
        await replay(url, "llm", REQUESTS, fcfs)


async def test_answer_of_another_length_ends_the_replay(endpoint: Endpoint, url: str) -> None:
    endpoint.extra_tokens = 1
    with pytest.raises(ReplayError, match="recorded 3 tokens"):
        await replay(url, "llm", REQUESTS, fcfs)
