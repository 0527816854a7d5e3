"""`bentoml serve` as a user runs it, with vLLM's real engine behind it."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import Any

import httpx
import openai
import pytest

from registry import store
from serving.hosts.keep_alive import BENTOML_KEEP_ALIVE_S
from tests.conftest import tracking
from tests.servers import RunningServer

HELLO: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": "hello there"}]
SWAP_TIMEOUT_S = 30.0


@pytest.fixture
async def client(server: RunningServer) -> AsyncIterator[httpx.AsyncClient]:
    async with server.client() as client:
        yield client


@pytest.fixture
def user(server: RunningServer) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)


def test_openai_client_chats_streaming_and_not(user: openai.OpenAI) -> None:
    whole = user.chat.completions.create(model="demo-llm", messages=HELLO, max_tokens=8, temperature=0)
    chunks = list(
        user.chat.completions.create(model="demo-llm", messages=HELLO, max_tokens=8, temperature=0, stream=True)
    )
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert whole.usage is not None
    assert whole.usage.completion_tokens == 8
    assert streamed == whole.choices[0].message.content
    assert len(chunks) > 4, "it must come piece by piece"


def test_openai_client_completes_a_list_of_prompts_in_order(user: openai.OpenAI) -> None:
    prompts = ["one", "two " * 40, "three"]
    apart = [
        user.completions.create(model="demo-llm", prompt=prompt, max_tokens=6, temperature=0).choices[0].text
        for prompt in prompts
    ]
    together = user.completions.create(model="demo-llm", prompt=prompts, max_tokens=6, temperature=0)
    assert [choice.text for choice in together.choices] == apart


def test_errors_are_vllms_own(user: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        user.chat.completions.create(model="another-llm", messages=HELLO)
    with pytest.raises(openai.BadRequestError, match="maximum context length"):
        user.completions.create(model="demo-llm", prompt="x " * 500_000)


async def test_model_has_the_target_llms_name(client: httpx.AsyncClient) -> None:
    models = (await client.get("/v1/models")).json()["data"]
    assert models[0]["id"] == "demo-llm"


async def test_the_correction_learns_of_what_was_answered(client: httpx.AsyncClient) -> None:
    await client.post("/v1/completions", json={"model": "demo-llm", "prompt": "hello", "max_tokens": 2})
    deadline_s = time.monotonic() + 30
    origins = re.compile(r'^pars_correction_origins\{target_llm="demo-llm"\} [1-9]', re.MULTILINE)
    while not origins.search(page := (await client.get("/metrics")).text):  # other tests' requests are origins too
        assert time.monotonic() < deadline_s, page
        await asyncio.sleep(0.5)
    assert "pars_correction_failures_total 0.0" in page
    ranked = (await client.post("/rank", json={"prompt": "hello"})).json()
    assert 1 / 3 <= ranked["correction"] <= 3


async def test_metrics_page_shows_ours_beside_vllms_and_bentomls(client: httpx.AsyncClient) -> None:
    await client.post("/v1/completions", json={"model": "demo-llm", "prompt": "hello", "max_tokens": 2})
    page = (await client.get("/metrics")).text
    for name in (
        'pars_engine_requests_total{source="instant"}',
        'pars_ranking_seconds_count{tier="instant"}',
        'pars_ranking_tier_failures_total{reason="hanging",target_llm="demo-llm",tier="encoder"} 0.0',
        'pars_ranker_instant_tier{target_llm="demo-llm"} 1.0',
        'pars_ranker_version{target_llm="demo-llm"}',
        'pars_ranker_reference_error{target_llm="demo-llm"}',
        'pars_ranker_since_seconds{target_llm="demo-llm"}',
        'pars_ranker_source{source="champion",target_llm="demo-llm"} 1.0',
        'pars_registry_looked_at_seconds{target_llm="demo-llm"}',
        'pars_ordering_on{target_llm="demo-llm"} 1.0',
        'pars_ordering_switches_total{by="tag",target_llm="demo-llm"} 0.0',
        "pars_max_overtaking_seconds",
        "pars_patience_seconds 120.0",
        'pars_ranking_fail_opens_total{reason="budget",target_llm="demo-llm"}',
        'pars_requests_held{target_llm="demo-llm"} 0.0',
        "pars_engine_sequences 0.0",
        "pars_engine_waiting_sequences 0.0",
        'pars_ranker_reloads_total{outcome="refused"}',
        "pars_output_tokens_bucket",
        "pars_predicted_tokens_bucket",
        'pars_waiting_seconds_count{predicted_tokens="up to 32"}',
        "vllm:num_requests_waiting",
        "bentoml_service_request_total",
    ):
        assert name in page


async def series(client: httpx.AsyncClient) -> set[str]:
    """What `/metrics` shows of HTTP requests, without values."""
    page = (await client.get("/metrics")).text
    names = ("bentoml_service_request", "http_request")
    return {line.rpartition(" ")[0] for line in page.splitlines() if line.startswith(names)}


async def test_paths_and_methods_that_clients_make_up_add_nothing_to_the_metrics_page(
    client: httpx.AsyncClient,
) -> None:
    made_up = ("/{}", "/v1/{}/cancel", "/v1/responses/resp_{}", "/v1/responses/resp_{}/", "/v1/models/{}", "/{}%0A")

    async def make_up(numbers: range) -> None:
        for number in numbers:
            await client.get(made_up[number % len(made_up)].format(number))
        for method in ("PROPFIND", "MKCOL", "PURGE"):  # the HTTP server knows them, and refuses others itself
            assert (await client.request(method, "/v1/models")).status_code == 501

    await client.get("/v1/models")
    await make_up(range(len(made_up)))
    before = await series(client)
    await make_up(range(3000))
    assert await series(client) == before
    for label in ('endpoint="/v1/models"', 'endpoint="/v1/responses/{response_id}"', 'endpoint="unmatched"'):
        assert any(label in one for one in before)


async def test_beam_search_is_ranked_once_because_the_layer_inside_bentoml_knows_its_request(
    client: httpx.AsyncClient,
) -> None:
    before = await num_rankings(client)
    body = {"model": "demo-llm", "messages": HELLO, "max_tokens": 4, "n": 2, "use_beam_search": True}
    assert (await client.post("/v1/chat/completions", json=body)).status_code == 200
    assert await num_rankings(client) == before + 1


async def num_rankings(client: httpx.AsyncClient) -> float:
    page = (await client.get("/metrics")).text
    name = 'pars_ranking_seconds_count{tier="instant"}'
    return next(float(line.split()[1]) for line in page.splitlines() if line.startswith(name))


async def served_version(client: httpx.AsyncClient) -> int:
    version: int = (await client.post("/rank", json={"prompt": "one"})).json()["ranker_version"]
    return version


@contextmanager
def promoted(server: RunningServer, version: int) -> Iterator[None]:
    with tracking(server.settings["MLFLOW_TRACKING_URI"]):
        store.promote("demo-llm", version)
        try:
            yield
        finally:
            store.promote("demo-llm", 1)


async def wait_for_version(client: httpx.AsyncClient, version: int) -> None:
    async with asyncio.timeout(SWAP_TIMEOUT_S):
        while await served_version(client) != version:
            await asyncio.sleep(0.1)


async def test_moving_the_champions_alias_swaps_the_ranker_under_load_and_loses_no_request(
    server: RunningServer, client: httpx.AsyncClient
) -> None:
    responses: list[httpx.Response] = []

    async def keep_asking() -> None:
        while True:
            body = {"model": "demo-llm", "prompt": "one two", "max_tokens": 4}
            responses.append(await client.post("/v1/completions", json=body))

    traffic = [asyncio.create_task(keep_asking()) for _ in range(4)]
    try:
        with promoted(server, 2):
            await wait_for_version(client, 2)
            assert (await client.post("/rank", json={"prompt": "one two"})).json()["score"] == -2
        await wait_for_version(client, 1)
    finally:
        for task in traffic:
            task.cancel()
        await asyncio.gather(*traffic, return_exceptions=True)
    assert responses
    assert {response.status_code for response in responses} == {200}


async def ranking(client: httpx.AsyncClient) -> dict[str, Any]:
    state: dict[str, Any] = (await client.get("/ranking")).json()["target_llms"]["demo-llm"]
    return state


async def test_ordering_is_switched_off_and_on_without_a_restart(
    server: RunningServer, client: httpx.AsyncClient
) -> None:
    on = {"ordering": "on", "source": "champion", "ranker_version": 1, "instant_tier": "on", "registry": "champion"}
    assert await ranking(client) == on
    with tracking(server.settings["MLFLOW_TRACKING_URI"]):
        for state in ("off", "on"):
            store.switch_ordering("demo-llm", state)
            async with asyncio.timeout(SWAP_TIMEOUT_S):
                while await ranking(client) != {**on, "ordering": state}:
                    await asyncio.sleep(0.1)
            before = await num_rankings(client)
            body = {"model": "demo-llm", "prompt": f"nobody has asked this while it was {state}", "max_tokens": 2}
            assert (await client.post("/v1/completions", json=body)).status_code == 200
            assert await num_rankings(client) == before + (state == "on")
    assert "switched off by the tag `ordering` of pars-demo-llm" in server.log.read_text()


async def test_champion_that_does_not_load_is_refused_and_named_in_the_log(
    server: RunningServer, client: httpx.AsyncClient
) -> None:
    with promoted(server, 3):
        async with asyncio.timeout(SWAP_TIMEOUT_S):
            while "Version 3 is refused, version 1 keeps serving" not in server.log.read_text():
                await asyncio.sleep(0.1)
        assert await served_version(client) == 1


async def test_body_too_large_to_rank_is_a_413_and_the_server_goes_on(client: httpx.AsyncClient) -> None:
    response = await client.post("/rank", json={"prompt": "x" * 5_000_000})
    assert response.status_code == 413
    assert "PARS_MAX_BODY_BYTES" in response.json()["error"]["message"]
    assert await served_version(client) == 1


def test_log_says_which_ranker_is_served(server: RunningServer) -> None:
    assert "pars-demo-llm version 1 is served." in server.log.read_text()


async def test_log_holds_nothing_of_a_prompt(server: RunningServer, client: httpx.AsyncClient) -> None:
    few = {"model": "demo-llm", "max_tokens": 2}
    chat = {**few, "messages": [{"role": "user", "content": "zanzibar"}]}
    await client.post("/v1/completions", json={**few, "prompt": "zanzibar"})
    await client.post("/v1/chat/completions", json=chat)
    await client.post("/rank", json={"prompt": "zanzibar"})
    assert "zanzibar" not in server.log.read_text()


def test_idle_connection_stays_open_for_longer_than_bentomls_own_limit(server: RunningServer) -> None:
    with closing(HTTPConnection("127.0.0.1", httpx.URL(server.url).port or 0, timeout=30)) as connection:
        for wait_s in (BENTOML_KEEP_ALIVE_S + 1, 0):
            connection.request("GET", "/livez")
            response = connection.getresponse()
            assert (response.status, response.will_close) == (200, False)
            response.read()
            time.sleep(wait_s)


@pytest.mark.slow
async def test_answer_that_takes_longer_than_bentomls_usual_time_out_arrives(client: httpx.AsyncClient) -> None:
    body = {"model": "demo-llm", "prompt": "hello", "ignore_eos": True, "max_tokens": 1900}
    started_s = time.monotonic()
    await client.post("/v1/completions", json=body)
    num_rounds = int(75 / (time.monotonic() - started_s)) + 1
    started_s = time.monotonic()
    response = await client.post("/v1/completions", json={**body, "n": 2 * num_rounds})
    assert response.status_code == 200, response.text
    assert time.monotonic() - started_s > 60
    assert len(response.json()["choices"]) == 2 * num_rounds
