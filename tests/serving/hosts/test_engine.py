"""Every request that reaches vLLM's real engine carries our priority."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.routes import CHAT, FIVE, GENERATING, NOT_GENERATING
from tests.serving.spied_engine import arrived, policy

LONG_AGO_US = 1_700_000_000_000_000
PATIENCE_US = 120e6
MEGABYTE = b"x " * 500_000


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
    seen = [(request["prompt_tokens"], request["priority"]) for request in await arrived(client)]
    assert len(seen) == 3
    assert seen == sorted(seen), "the engine gets them in the order of their places"
    assert len({priority for _, priority in seen}) == 3


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
    assert 'pars_ranking_fail_opens_total{reason="no_ranker",target_llm="none"}' in page


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


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/invocations"])
@pytest.mark.parametrize("is_announced", [True, False])
async def test_body_over_the_limit_is_answered_as_any_other_and_goes_where_long_requests_go(
    client: httpx.AsyncClient, path: str, is_announced: bool
) -> None:
    prompt = {"messages": [{"role": "user", "content": "hello"}]} if "chat" in path else {"prompt": "hello"}
    body = json.dumps({"model": "demo-llm", "max_tokens": 100, **prompt, "user": MEGABYTE.decode() * 5}).encode()

    async def chunks() -> AsyncIterator[bytes]:
        yield body[: len(MEGABYTE)]
        yield body[len(MEGABYTE) :]

    before = await fail_opens(client, "too_large")
    content = body if is_announced else chunks()
    response = await client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 200, response.text
    assert await fail_opens(client, "too_large") == before + 1
    (large,) = await arrived(client)
    assert large["priority"] > 0


@pytest.mark.parametrize("is_announced", [True, False])
async def test_body_over_the_limit_to_rank_is_a_413(client: httpx.AsyncClient, is_announced: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield MEGABYTE

    response = await client.post("/rank", content=MEGABYTE * 5 if is_announced else chunks())
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


async def fail_opens(client: httpx.AsyncClient, reason: str) -> float:
    page = (await client.get("/metrics")).text
    pattern = rf'^pars_ranking_fail_opens_total{{[^}}]*reason="{reason}"[^}}]*}} (.*)$'
    return sum(float(value) for value in re.findall(pattern, page, re.MULTILINE))
