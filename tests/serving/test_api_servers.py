"""Two API servers of a plain vLLM before one engine, as `--api-server-count 2` starts them."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.servers import VLLM_ARGS, RunningServer, free_port, running

pytestmark = pytest.mark.slow

ANSWER = {"model": "demo-llm", "max_tokens": 40, "ignore_eos": True}
NUM_WORDS = list(range(64, 0, -4))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, demo_llm: Path, ranker_store: str) -> Iterator[RunningServer]:
    flags = "--scheduling-policy priority --middleware serving.middleware.ShortestFirst --api-server-count 2"
    command = f"tests.vllm_serve --model {demo_llm} --served-model-name demo-llm {VLLM_ARGS} --max-num-seqs 2 {flags}"
    settings = {"PARS_TARGET_LLM": "demo-llm", "PARS_CAP_BY_MAX_TOKENS": "off", "PARS_PATIENCE_S": "1000"}
    settings |= {"MLFLOW_TRACKING_URI": ranker_store, "VLLM_NO_USAGE_STATS": "1"}
    port = free_port()
    log = tmp_path_factory.mktemp("two") / "log.txt"
    with running([*command.split(), "--port", str(port)], port, settings, log) as started:
        yield started


@pytest.fixture
async def client(two: RunningServer) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)  # each request may reach another server
    async with two.client(limits=limits) as client:
        yield client


async def metric(client: httpx.AsyncClient, name: str) -> float:
    families = text_string_to_metric_families((await client.get("/metrics")).text)
    return sum(one.value for family in families for one in family.samples if one.name == name)


async def wait_for(client: httpx.AsyncClient, name: str, value: float) -> None:
    async with asyncio.timeout(60):
        while await metric(client, name) != value:
            await asyncio.sleep(0.05)


async def complete(client: httpx.AsyncClient, num_words: int, **changes: object) -> int:
    response = await client.post("/v1/completions", json={**ANSWER, "prompt": "one " * num_words, **changes})
    assert response.status_code == 200, response.text
    return num_words


async def test_burst_over_two_servers_is_served_in_one_order(client: httpx.AsyncClient) -> None:
    plugs = [asyncio.create_task(complete(client, 1, max_tokens=4000)) for _ in range(2)]
    await wait_for(client, "vllm:num_requests_running", 2)
    finished: list[int] = []

    async def ask(num_words: int) -> None:
        finished.append(await complete(client, num_words))

    burst = [asyncio.create_task(ask(num_words)) for num_words in NUM_WORDS]
    await wait_for(client, "pars_engine_sequences", len(NUM_WORDS) + 2)
    for plug in plugs:
        plug.cancel()
    await asyncio.gather(*burst)
    # Two run at a time, and either server may be the first to hand on what ended in neighbouring steps.
    late_by = [finished.index(num_words) - place for place, num_words in enumerate(sorted(NUM_WORDS))]
    assert max(map(abs, late_by)) <= 2, finished
    await wait_for(client, "pars_engine_sequences", 0)
    assert await metric(client, "pars_requests_held") == 0
    assert await metric(client, "pars_ranking_fail_opens_total") == 0


def test_each_says_that_it_counts_its_share(two: RunningServer) -> None:
    said = two.log.read_text()
    for name in ("ApiServer_0", "ApiServer_1"):
        assert re.search(rf"\({name} .*2 API servers share the engine", said)
        assert re.search(rf"\({name} .*pars-demo-llm version 1 is served", said)
