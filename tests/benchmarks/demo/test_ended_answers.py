"""The demo LLM ends its own answers, through the real engine, and the server's metrics see that."""

import asyncio
import re

import httpx
import pytest

from benchmarks.demo.demo_lengths import WorkloadRequest, make_workload
from benchmarks.demo.length_law import drawn_tokens
from serving.drift.live_drift import ANSWERS_AT_ONCE
from tests.servers import RunningServer

LEAST_JSON_TOKENS = 12
WORKLOAD = make_workload(600)
SHORT = [one for one in WORKLOAD if one.output_tokens <= 20 and not one.asked.is_json][:ANSWERS_AT_ONCE]
FORMS = [one for one in WORKLOAD if one.asked.is_json and one.output_tokens >= LEAST_JSON_TOKENS][:5]
STORY = "Tell me a story in which volcanoes save the day."


async def ended(client: httpx.AsyncClient, prompt: str, **asked: object) -> tuple[str, int]:
    """How and where the answer to a prompt ended."""
    body = {"model": "demo-llm", "prompt": prompt, "max_tokens": 600, **asked}
    answer = (await client.post("/v1/completions", json=body)).raise_for_status().json()
    return answer["choices"][0]["finish_reason"], answer["usage"]["completion_tokens"]


async def answered(client: httpx.AsyncClient, request: WorkloadRequest) -> tuple[str, int]:
    """How and where the answer to a request of the workload ended."""
    body = {"model": "demo-llm", "messages": request.messages, **request.params}
    answer = (await client.post("/v1/chat/completions", json=body)).raise_for_status().json()
    return answer["choices"][0]["finish_reason"], answer["usage"]["completion_tokens"]


async def metric(client: httpx.AsyncClient, name: str) -> float | None:
    found = re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", (await client.get("/metrics")).text, re.MULTILINE)
    return float(found.group(1)) if found else None


async def test_answers_end_where_the_workloads_log_says_and_the_live_metrics_see_it(server: RunningServer) -> None:
    async with server.client() as client:
        before = await metric(client, "pars_output_tokens_sum") or 0.0
        answers = await asyncio.gather(*(answered(client, one) for one in SHORT))
        assert answers == [("length" if one.is_cut else "stop", one.output_tokens) for one in SHORT]
        assert await metric(client, "pars_output_tokens_sum") == before + sum(one.output_tokens for one in SHORT)
        async with asyncio.timeout(60):
            while (tau := await metric(client, "pars_kendall_tau_b")) is None:
                await asyncio.sleep(0.1)
        assert -1 <= tau <= 1


async def test_answers_that_must_be_json_are_whole_and_as_long_as_the_law_says(server: RunningServer) -> None:
    async with server.client() as client:
        assert await asyncio.gather(*(answered(client, one) for one in FORMS)) == [
            ("length" if one.is_cut else "stop", one.output_tokens) for one in FORMS
        ]


@pytest.mark.parametrize(
    ("asked", "how"), [({"seed": 3, "temperature": 1.0}, "stop"), ({"max_tokens": 9}, "length")], ids=("seed", "limit")
)
async def test_seed_draws_another_answer_and_a_limit_cuts_it(
    server: RunningServer, asked: dict[str, object], how: str
) -> None:
    async with server.client() as client:
        assert await ended(client, STORY, **asked) == (how, asked.get("max_tokens", drawn_tokens(STORY, 3)))


async def test_chat_ends_without_a_limit(server: RunningServer) -> None:
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Define spoons."}]
    async with server.client() as client:
        answer = (await client.post("/v1/chat/completions", json={"model": "demo-llm", "messages": messages})).json()
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"]["completion_tokens"] == drawn_tokens("Define spoons.")
