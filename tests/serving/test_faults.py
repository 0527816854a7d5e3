"""Faults of the ranker under load, with the real engine: requests go on, are counted by reason, and ranking resumes."""

import asyncio
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from typing import Any

import httpx
import mlflow
import pytest
from prometheus_client.parser import text_string_to_metric_families

from registry import store
from tests.conftest import tracking
from tests.servers import RunningServer
from tests.traps import HANGS, OUT_OF_MEMORY, RAISES, SLOW

pytestmark = pytest.mark.slow

FEW = {"model": "demo-llm", "max_tokens": 4}
SWAP_TIMEOUT_S = 30.0
RECOVERY_TIMEOUT_S = 120.0
TEXTS = count()
"""Numbers for texts that no test asked before: a score that is cached holds no request."""
LATE_S = "5.0"
"""A bucket's limit that is well above the backlog budget of 2 s: timers are late on a busy machine."""


@pytest.fixture
async def client(server: RunningServer) -> AsyncIterator[httpx.AsyncClient]:
    # No connection is used again: the server closes idle ones, and on a busy machine just when the next request comes.
    async with server.client(limits=httpx.Limits(max_connections=None, max_keepalive_connections=0)) as client:
        await recovered(client)
        yield client


async def counters(client: httpx.AsyncClient) -> dict[str, float]:
    """Fail-opens by reason, failures of a tier as `encoder REASON`, requests by what placed them (`encoder`, `instant`,
    `median`), and how many were held and of them how many not too long."""
    seen: dict[str, float] = defaultdict(float)
    for family in text_string_to_metric_families((await client.get("/metrics")).text):
        for sample in family.samples:
            if sample.name == "pars_ranking_fail_opens_total":
                seen[sample.labels["reason"]] += sample.value
            elif sample.name == "pars_ranking_tier_failures_total":
                seen[f"{sample.labels['tier']} {sample.labels['reason']}"] += sample.value
            elif sample.name == "pars_engine_requests_total":
                seen[sample.labels["source"]] = sample.value
            elif sample.name == "pars_ranking_hold_seconds_count":
                seen["held"] = sample.value
            elif sample.name == "pars_ranking_hold_seconds_bucket" and sample.labels["le"] == LATE_S:
                seen["in time"] = sample.value
    return seen


async def risen(client: httpx.AsyncClient, before: dict[str, float]) -> dict[str, float]:
    now = await counters(client)
    return {name: value - before.get(name, 0) for name, value in now.items()}


async def ask(client: httpx.AsyncClient, prompt: str, **changes: Any) -> None:
    response = await client.post("/v1/completions", json={**FEW, "prompt": prompt, **changes})
    assert response.status_code == 200, response.text


async def recovered(client: httpx.AsyncClient) -> None:
    """Wait until a tier places a request; of one token, or a median's place would keep it waiting under load."""
    async with asyncio.timeout(RECOVERY_TIMEOUT_S):
        while True:
            before = await counters(client)
            await ask(client, "one two", max_tokens=1)
            rise = await risen(client, before)
            if rise.get("encoder", 0) + rise.get("instant", 0) >= 1:
                return


@asynccontextmanager
async def under_load(client: httpx.AsyncClient, num_clients: int = 4) -> AsyncIterator[Callable[[], int]]:
    """Clients that ask again and again; yields how many answers there are. All of them must be answers."""
    num_answers = 0
    is_over = False

    async def keep_asking() -> None:
        nonlocal num_answers
        while not is_over:
            await ask(client, f"one two {next(TEXTS)}")
            num_answers += 1

    async with asyncio.TaskGroup() as clients:
        for _ in range(num_clients):
            clients.create_task(keep_asking())
        yield lambda: num_answers
        is_over = True


@asynccontextmanager
async def full_engine(client: httpx.AsyncClient) -> AsyncIterator[None]:
    """Both of its sequences are taken for seconds, as they are when a burst matters: whoever comes is held."""
    plugs = [asyncio.create_task(ask(client, "plug", max_tokens=1500, ignore_eos=True)) for _ in range(2)]
    await asyncio.sleep(0.5)
    yield
    await asyncio.gather(*plugs)


async def is_slow_no_more(client: httpx.AsyncClient, before: dict[str, float]) -> None:
    """Nothing was held for longer than the budget, no place was missing, and ranking resumes."""
    rise = await risen(client, before)
    assert rise["held"] == rise["in time"] > 0
    assert rise.get("median", 0) == 0
    await recovered(client)


@pytest.mark.parametrize(
    ("prompt", "num_errors"),
    [(HANGS, 0), (RAISES, 1), (OUT_OF_MEMORY, 1)],  # nobody is held for long while it hangs, which is no error
    ids=["hangs", "raises", "out of memory"],
)
async def test_faulty_encoder_loses_no_request_the_instant_places_stand_and_ranking_resumes(
    client: httpx.AsyncClient, prompt: str, num_errors: int
) -> None:
    before = await counters(client)
    async with under_load(client, 8) as num_answers:  # two sequences run, so the others wait, and some are held
        at_first = num_answers()
        async with asyncio.timeout(RECOVERY_TIMEOUT_S):  # what an earlier test left hanging is computed to its end
            await asyncio.gather(*(ask(client, f"{prompt} {next(TEXTS)}") for _ in range(3)))
            while (await risen(client, before)).get("encoder error", 0) < num_errors:
                await asyncio.gather(*(ask(client, f"{prompt} {next(TEXTS)}") for _ in range(3)))
        while num_answers() < at_first + 20:
            await asyncio.sleep(0.1)
    rise = await risen(client, before)
    assert rise["instant"] >= 1
    await is_slow_no_more(client, before)


async def test_encoder_that_cannot_keep_up_leaves_the_instant_places(client: httpx.AsyncClient) -> None:
    async with full_engine(client):
        before = await counters(client)
        await asyncio.gather(*(ask(client, f"{SLOW} {SLOW} {SLOW} {number}") for number in range(150)))
        rise = await risen(client, before)
    assert rise["encoder"] > 0, "those that it could read"
    assert rise["instant"] > 0
    await is_slow_no_more(client, before)


async def test_ranker_starved_of_cpu_loses_no_request(client: httpx.AsyncClient) -> None:
    before = await counters(client)
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(6)]
    try:
        async with under_load(client, 8) as num_answers:
            while num_answers() < 60:
                await asyncio.sleep(0.1)
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    await is_slow_no_more(client, before)


async def test_burst_of_300_is_placed_whole(client: httpx.AsyncClient) -> None:
    async with full_engine(client):
        before = await counters(client)
        await asyncio.gather(*(ask(client, "one " * (1 + number % 60)) for number in range(300)))
        rise = await risen(client, before)
    assert rise["encoder"] + rise["instant"] >= 300, rise
    assert rise["encoder"] > 0


@contextmanager
def moved_by_promotion() -> Iterator[None]:
    store.promote("demo-llm", 2)
    yield
    store.promote("demo-llm", 1)


@contextmanager
def moved_by_promotion_and_rollback() -> Iterator[None]:
    store.promote("demo-llm", 2)
    yield
    store.rollback("demo-llm")


@contextmanager
def moved_by_hand() -> Iterator[None]:
    """As the MLflow UI does it."""
    client, name = mlflow.MlflowClient(), store.model_name("demo-llm")
    client.set_registered_model_alias(name, "champion", "2")
    yield
    client.set_registered_model_alias(name, "champion", "1")


async def served(client: httpx.AsyncClient, version: int) -> None:
    async with asyncio.timeout(SWAP_TIMEOUT_S):
        while (await client.post("/rank", json={"prompt": "one"})).json().get("ranker_version") != version:
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("moved", [moved_by_promotion, moved_by_promotion_and_rollback, moved_by_hand])
async def test_alias_moved_in_any_way_swaps_the_ranker_under_load_within_30_s(
    server: RunningServer, client: httpx.AsyncClient, moved: Callable[[], Any]
) -> None:
    with tracking(server.settings["MLFLOW_TRACKING_URI"]):
        async with under_load(client):
            with moved():
                await served(client, 2)
            await served(client, 1)


async def test_swap_while_the_ranker_hangs_loses_no_request_and_ranking_resumes(
    server: RunningServer, client: httpx.AsyncClient
) -> None:
    with tracking(server.settings["MLFLOW_TRACKING_URI"]):
        async with under_load(client):
            hanging = asyncio.create_task(ask(client, HANGS))
            with moved_by_hand():
                await served(client, 2)
                await recovered(client)
            await hanging
            await served(client, 1)
    await recovered(client)
