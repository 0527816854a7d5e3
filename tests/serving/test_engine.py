"""Every request that reaches vLLM's real engine carries our priority, and is served in that order."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import combinations
from operator import itemgetter
from typing import Any

import httpx
import psutil
import pytest

from tests.conftest import API_KEY
from tests.routes import CHAT, FIVE, GENERATING, NOT_GENERATING
from tests.servers import RunningServer

LONG_AGO_US = 1_700_000_000_000_000
PATIENCE_US = 120e6
MEGABYTE = b"x " * 500_000


@pytest.fixture
async def client(engine: RunningServer) -> AsyncIterator[httpx.AsyncClient]:
    async with engine.client(headers={"Authorization": f"Bearer {API_KEY}"}) as client:
        await client.post("/test/reset")
        yield client


async def arrived(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """What has reached the engine in this test, in order."""
    requests: list[dict[str, Any]] = (await client.get("/test/requests")).json()
    return requests


@asynccontextmanager
async def policy(client: httpx.AsyncClient, **changes: object) -> AsyncIterator[None]:
    """Another policy of priorities for a while."""
    before = (await client.post("/test/policy", json=changes)).json()
    yield
    await client.post("/test/policy", json=before)


def test_the_engine_stands_back_from_the_ranking(engine: RunningServer) -> None:
    api = psutil.Process(engine.pid)
    processes = [one for one in api.children(recursive=True) if one.name().startswith("VLLM::")]
    assert len(processes) >= 2  # the engine and its worker
    threads = [thread.id for process in processes for thread in process.threads()]
    assert {os.getpriority(os.PRIO_PROCESS, thread) for thread in threads} == {max(10, api.nice())}
    if len(ours := os.sched_getaffinity(api.pid)) == 2:  # vLLM gives its worker one of them
        places = {frozenset(os.sched_getaffinity(thread)) for thread in threads}
        assert len(places) == 1
        assert places < {frozenset({core}) for core in ours}


async def test_every_post_route_of_the_openapi_page_is_known(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    posts = {path for path, methods in paths.items() if "post" in methods}
    assert posts == NOT_GENERATING | {path for path, _, _ in GENERATING}


@pytest.mark.parametrize(("path", "body", "num_requests"), GENERATING)
async def test_every_engine_request_carries_our_priority_and_not_the_clients(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], num_requests: int
) -> None:
    response = await client.post(path, json={**body, "priority": -7}, headers={"X-Vllm-Priority": "-8"})
    assert response.status_code == 200, response.text
    requests = await arrived(client)
    assert len(requests) == num_requests
    for request in requests:
        assert LONG_AGO_US < request["arrival_us"] <= request["priority"]
    assert len({request["arrival_us"] for request in requests}) == 1, "one HTTP request arrives once"


async def test_each_prompt_of_a_list_is_ranked_on_its_own(client: httpx.AsyncClient) -> None:
    prompts = ["one", "one " * 30, "one " * 10]
    async with policy(client, cap_by_max_tokens=False):
        await client.post("/v1/completions", json={**FIVE, "prompt": prompts})
    first, second, third = [request["priority"] for request in await arrived(client)]
    assert first < third < second


async def test_chat_is_ranked_by_the_users_words_and_not_by_the_template(client: httpx.AsyncClient) -> None:
    async with policy(client, cap_by_max_tokens=False):
        await client.post("/v1/chat/completions", json={**FIVE, **CHAT})
        await client.post("/v1/completions", json={**FIVE, "prompt": "say something"})
    chat, prompt = [request["priority"] - request["arrival_us"] for request in await arrived(client)]
    assert chat == prompt > 0


async def test_each_model_name_has_its_own_ranker_and_all_share_one_distribution(client: httpx.AsyncClient) -> None:
    async with policy(client, cap_by_max_tokens=False):
        for model, words in (("demo-llm", 20), ("wordy", 20), ("demo-llm", 50), ("plain", 50)):
            body = {**FIVE, "model": model, "prompt": "one " * words}
            assert (await client.post("/v1/completions", json=body)).status_code == 200
    brief, wordy, long_brief, plain = [request["priority"] - request["arrival_us"] for request in await arrived(client)]
    assert brief < wordy < long_brief
    assert plain == pytest.approx(PATIENCE_US / 2)
    page = (await client.get("/metrics")).text
    assert 'pars_ranking_fail_opens_total{reason="no_ranker"}' in page


async def test_rank_answers_for_a_model_name(client: httpx.AsyncClient) -> None:
    asked = [{"prompt": "one two", "model": model} for model in ("demo-llm", "wordy")]
    brief, wordy = [(await client.post("/rank", json=body)).json()["predicted_tokens"] for body in asked]
    assert wordy == pytest.approx(10 * brief)
    assert (await client.post("/rank", json={"prompt": "one two", "model": "plain"})).status_code == 404


async def test_max_tokens_caps_the_place_in_the_queue(client: httpx.AsyncClient) -> None:
    long_prompt = "one " * 60
    async with policy(client, patience_s=1e6):
        for max_tokens in (1, 100):
            await client.post("/v1/completions", json={**FIVE, "max_tokens": max_tokens, "prompt": long_prompt})
    capped, uncapped = [request["priority"] for request in await arrived(client)]
    assert capped < uncapped - 1e11


async def test_trusted_clients_integer_is_used_as_it_is(client: httpx.AsyncClient) -> None:
    async with policy(client, trust_client_priority=True):
        for priority in (-7, 0, 12):
            await client.post("/v1/completions", json={**FIVE, "prompt": "one", "priority": priority})
    first, second, third = [request["priority"] for request in await arrived(client)]
    assert (first, third) == (-7, 12)
    assert second > LONG_AGO_US


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/chat/completions", "/rank"])
async def test_without_the_api_key_nothing_is_ranked(client: httpx.AsyncClient, path: str) -> None:
    response = await client.post(path, json={**FIVE, "prompt": "one"}, headers={"Authorization": "Bearer other"})
    assert response.status_code == 401
    assert await arrived(client) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"model": "demo-llm", "messages": ', "JSON"),
        (b'{"model": "demo-llm"}', "messages"),
        (b'{"model": "demo-llm", "messages": []}', "Provide at least one message"),
        (b'{"model": "demo-llm", "messages": "hello"}', "messages"),
        (b'{"model": "demo-llm", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url":'
         b' {"url": "data:image/png;base64,AA"}}]}]}', "not a multimodal model"),
        (b'{"model": "demo-llm", "messages": [{"role": "user", "content": "' + MEGABYTE + b'"}]}', "maximum"),
        (b"[]", "valid dictionary"),
        (b"\xff\xfe", "JSON|decode"),
    ],
    ids=["malformed", "no messages", "empty messages", "text for messages", "image", "1 MB", "a list", "not UTF-8"],
)  # fmt: skip
async def test_bad_chat_request_gets_vllms_own_clear_400(
    client: httpx.AsyncClient, content: bytes, message: str
) -> None:
    response = await client.post("/v1/chat/completions", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 400, response.text
    assert any(word in response.json()["error"]["message"] for word in message.split("|")), response.text
    assert await arrived(client) == []


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/invocations", "/tokenize", "/rank"])
@pytest.mark.parametrize("is_announced", [True, False])
async def test_body_over_the_limit_is_a_413_on_every_route(
    client: httpx.AsyncClient, path: str, is_announced: bool
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield MEGABYTE

    content = MEGABYTE * 5 if is_announced else chunks()
    response = await client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 413
    assert "PARS_MAX_BODY_BYTES" in response.json()["error"]["message"]


async def test_slowly_sent_body_buys_no_seniority(client: httpx.AsyncClient) -> None:
    is_begun = asyncio.Event()
    may_end = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"model": "demo-llm", "max_tokens": 5, '
        is_begun.set()
        await may_end.wait()
        yield b'"prompt": "one"}'

    headers = {"Content-Type": "application/json"}
    slow = asyncio.create_task(client.post("/v1/completions", content=slowly(), headers=headers))
    await is_begun.wait()
    await client.post("/v1/completions", json={**FIVE, "prompt": "one"})
    may_end.set()
    assert (await slow).status_code == 200
    quick, slowly_sent = await arrived(client)
    assert quick["priority"] < slowly_sent["priority"]
    assert quick["arrival_us"] < slowly_sent["arrival_us"]


EQUAL_WORK = {"model": "demo-llm", "max_tokens": 24, "ignore_eos": True}
"""Two sequences run at a time, so requests of equal work finish in the order in which the engine has taken them up."""

WORST_ORDER = list(range(40, 8, -2))
"""Words of each prompt, the longest first."""

LONG_AND_SHORT = [60, 4] * 16

ENDLESS_S = 1e6
"""A patience beside which it does not matter how far apart a busy machine lets the requests of a burst arrive."""


async def serve_burst(client: httpx.AsyncClient, num_words: Sequence[int], gap_s: float = 0.01) -> list[dict[str, Any]]:
    """Send prompts of these many words one after the other to an engine that is kept full until all have arrived.

    Returns what the engine saw of them, in the order of their arrival. Where the machine let the engine run dry before
    all had arrived, that burst shows nothing and is sent again.
    """
    for _ in range(6):
        if await was_full_while_arriving(client, num_words, gap_s):
            return sorted(await arrived(client), key=itemgetter("arrival_us"))
    raise AssertionError("the engine was never full all the time")


async def was_full_while_arriving(client: httpx.AsyncClient, num_words: Sequence[int], gap_s: float) -> bool:
    await client.post("/test/reset")
    plug = {**EQUAL_WORK, "max_tokens": 4000, "prompt": "plug"}
    plugs = [asyncio.create_task(client.post("/v1/completions", json=plug)) for _ in range(6)]
    await wait_for_arrivals(client, plugs)
    await client.post("/test/reset")
    tasks = []
    for words in num_words:
        body = {**EQUAL_WORK, "prompt": "one " * words}
        tasks.append(asyncio.create_task(client.post("/v1/completions", json=body)))
        await asyncio.sleep(gap_s)
    await wait_for_arrivals(client, tasks)
    was_full = sum(not task.done() for task in plugs) > 2  # one may be done without our knowing it yet
    for task in plugs:
        task.cancel()
    responses = await asyncio.gather(*tasks)
    assert {response.status_code for response in responses} == {200}
    return was_full


async def wait_for_arrivals(client: httpx.AsyncClient, tasks: Sequence[asyncio.Task[httpx.Response]]) -> None:
    async with asyncio.timeout(60):
        while len(await arrived(client)) < len(tasks):
            assert all(task.result().is_success for task in tasks if task.done())
            await asyncio.sleep(0.02)


def finishing_steps(requests: Sequence[dict[str, Any]]) -> list[int]:
    return [request["finished_in_step"] for request in requests]


async def test_burst_in_the_worst_order_is_served_shortest_predicted_first(client: httpx.AsyncClient) -> None:
    async with policy(client, cap_by_max_tokens=False, patience_s=ENDLESS_S):
        requests = await serve_burst(client, WORST_ORDER)
    # Connections that wait together may be accepted in any order, so arrival alone does not say who was sent first.
    steps = finishing_steps(sorted(requests, key=itemgetter("prompt_tokens")))
    assert steps == sorted(steps)
    assert len(set(steps)) >= len(steps) / 2
    assert finishing_steps(requests) != steps, "arrival was another order"


async def test_with_patience_zero_the_same_burst_is_first_come_first_served(client: httpx.AsyncClient) -> None:
    async with policy(client, cap_by_max_tokens=False, patience_s=0):
        steps = finishing_steps(await serve_burst(client, WORST_ORDER))
    assert steps == sorted(steps)
    assert len(set(steps)) >= len(steps) / 2


async def test_nobody_is_overtaken_by_a_request_that_arrived_later_than_patience(client: httpx.AsyncClient) -> None:
    patience_s = 1.5
    async with policy(client, cap_by_max_tokens=False, patience_s=patience_s):
        requests = await serve_burst(client, LONG_AND_SHORT, gap_s=0.05)
    overtaken_by_us = [
        later["arrival_us"] - earlier["arrival_us"]
        for earlier, later in combinations(requests, 2)
        if later["finished_in_step"] < earlier["finished_in_step"]
    ]
    assert len(overtaken_by_us) > len(requests), "many must overtake, or the promise is easily kept"
    assert max(overtaken_by_us) <= patience_s * 1e6
    assert requests[-1]["arrival_us"] - requests[0]["arrival_us"] > patience_s * 1e6
    assert await max_overtaking_s(client) >= max(overtaken_by_us) / 1e6, "since the start, under any patience"


async def max_overtaking_s(client: httpx.AsyncClient) -> float:
    page = (await client.get("/metrics")).text
    return next(float(line.split()[1]) for line in page.splitlines() if line.startswith("pars_max_overtaking_seconds "))
