"""`make soak`: minutes of load with faults, on `bentoml serve` and the real engine. SOAK_MINUTES says how many."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import mlflow
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from registry import store
from tests.conftest import tracking
from tests.servers import VLLM_ARGS, RunningServer, free_port, running
from tests.soak.memory import Memory, worker_of
from tests.soak.traffic import Tally, Users
from tests.traps import HANGS, RAISES

pytestmark = [pytest.mark.slow, pytest.mark.soak, pytest.mark.timeout(0)]

MINUTES = float(os.environ.get("SOAK_MINUTES", "10"))
LOAD = 0.8
CAPACITY_REQUESTS = 300
MINUTE_S = 60.0
SWAP_EVERY_S = 60.0
FAULT_EVERY_S = 120.0
RAISING_S = 5.0
MAX_GROWTH = 0.05


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory, demo_llm: Path, ranker_store: str) -> Iterator[RunningServer]:
    settings = {
        "MLFLOW_TRACKING_URI": ranker_store,
        "PARS_TARGET_LLM": "demo-llm",
        "PARS_LLM": str(demo_llm),
        "PARS_VLLM_ARGS": f"{VLLM_ARGS} --max-num-seqs 16",
    }
    port = free_port()
    log = tmp_path_factory.mktemp("soak") / "log.txt"
    with running(["bentoml", "serve", "--port", str(port)], port, settings, log) as server:
        yield server


async def swap_again_and_again() -> None:
    for version in itertools.cycle((2, 1)):
        await asyncio.sleep(SWAP_EVERY_S)
        await asyncio.to_thread(store.promote, "demo-llm", version)


async def break_again_and_again(users: Users) -> None:
    """A ranker that hangs for longer than every budget, and one that raises, in turn."""
    await asyncio.sleep(FAULT_EVERY_S / 4)
    for fault in itertools.cycle(("hangs", "raises")):
        if fault == "hangs":
            await users.send(HANGS, stays=True)
        else:
            users.fault = RAISES
            await asyncio.sleep(RAISING_S)
            users.fault = None
        await asyncio.sleep(FAULT_EVERY_S)


@asynccontextmanager
async def meanwhile(*tasks: "asyncio.Task[None]") -> AsyncIterator[None]:
    """Cancel them at the end; one that has failed fails the soak."""
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def counted(url: str) -> dict[str, float]:
    """Swaps, and requests by where their place comes from."""
    seen: dict[str, float] = {}
    for family in text_string_to_metric_families(httpx.get(f"{url}/metrics", timeout=60).text):
        for sample in family.samples:
            if sample.name == "pars_ranker_reloads_total":
                seen[f"reloads_{sample.labels['outcome']}"] = sample.value
            elif sample.name == "pars_engine_requests_total":
                seen[f"requests_{sample.labels['source']}"] = sample.value
            elif sample.name == "pars_ranking_fail_opens_total":
                seen[f"fail_opens_{sample.labels['reason']}"] = sample.value
    return seen


async def test_no_request_is_lost_and_memory_does_not_grow(soaked: RunningServer, ranker_store: str) -> None:
    users, memory = Users(soaked.url), Memory(worker_of(soaked.pid))
    await users.requests_per_s(CAPACITY_REQUESTS)  # a server's first burst finds it cold
    capacity_per_s = await users.requests_per_s(CAPACITY_REQUESTS)
    assert users.tally.lost == []
    users.tally = Tally()
    before = counted(soaked.url)
    with tracking(ranker_store):
        jobs = (memory.watch(), swap_again_and_again(), break_again_and_again(users))
        async with meanwhile(*(asyncio.create_task(job) for job in jobs)):
            await users.send_at(LOAD * capacity_per_s, MINUTES * MINUTE_S)
        store.promote("demo-llm", 1)
    tally, growth = users.tally, memory.growth_after(MINUTE_S)
    table = {
        "minutes": MINUTES,
        "requests_per_s": LOAD * capacity_per_s,
        "requests_sent": tally.sent,
        "requests_finished": tally.finished,
        "requests_disconnected": tally.disconnected,
        "requests_lost": len(tally.lost),
        "memory_growth": growth,
        "memory_megabytes": memory.samples[-1][1],
        **{name: value - before.get(name, 0) for name, value in counted(soaked.url).items()},
    }
    report(table, memory)
    assert tally.lost == []
    assert growth < MAX_GROWTH
    assert table["reloads_swapped"] >= int(MINUTES) - 1
    assert psutil.pid_exists(soaked.pid)


def report(table: dict[str, float], memory: Memory) -> None:
    print("\n" + "\n".join(f"{name:28}{value:12.4g}" for name, value in table.items()))  # noqa: T201
    with tracking(os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{Path('mlflow.db').resolve()}")):
        mlflow.set_experiment("Default")
        with mlflow.start_run(run_name="soak"):
            mlflow.log_metrics(table)
            for at_s, megabytes in memory.samples[::5]:
                mlflow.log_metric("resident_megabytes", megabytes, step=round(at_s))
