"""Bursts at vLLM's real engine: in which order it serves them, and who overtakes whom by how much."""

import asyncio
from collections.abc import Sequence
from itertools import combinations
from operator import itemgetter
from typing import Any

import httpx

from tests.serving.spied_engine import arrived, policy

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
    assert await max_overtaking_s(client) >= max(overtaken_by_us) / 1e6, "within the window, under any patience"


async def max_overtaking_s(client: httpx.AsyncClient) -> float:
    page = (await client.get("/metrics")).text
    name = 'pars_max_overtaking_seconds{target_llm="demo-llm"} '
    return next(float(line.split()[1]) for line in page.splitlines() if line.startswith(name))
