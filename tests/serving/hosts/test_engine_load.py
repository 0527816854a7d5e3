"""What vLLM says of its load: its own classes report it, and the real engine with a KV cache that is soon full."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from vllm.v1.metrics.loggers import AggregateStatLoggerBase, StatLoggerManager
from vllm.v1.metrics.stats import SchedulerStats

from serving.hosts.engine_load import LoadListener, start_load
from serving.ranking.load import EngineLoad
from serving.ranking.reports import EngineReports
from tests.servers import RunningServer, free_port, running
from tests.traps import SLOW

MAX_NUM_SEQS = 64
TOKENS_THAT_FIT = 1024
ANSWER = {"model": "demo-llm", "max_tokens": 480, "ignore_eos": True}
"""Two of these fill the KV cache."""


def vllms_client(parallel: dict[str, Any], reports: bool = True) -> Any:
    manager = StatLoggerManager.__new__(StatLoggerManager)  # its own loggers want a whole configuration
    manager.stat_loggers = []
    facts = {"local_engines_only": False, "data_parallel_size_local": 1, "data_parallel_size": 1}
    facts |= {"_api_process_count": 1} | parallel
    config = SimpleNamespace(
        scheduler_config=SimpleNamespace(max_num_seqs=MAX_NUM_SEQS), parallel_config=SimpleNamespace(**facts)
    )
    return SimpleNamespace(vllm_config=config, logger_manager=manager if reports else None)


async def test_vllms_own_manager_reports_to_the_load() -> None:
    client = vllms_client({"data_parallel_size": 2})
    load = start_load(client)
    load.count(9)
    for engine, num_waiting in ((0, 3), (1, 1)):
        stats = SchedulerStats(num_running_reqs=2, num_waiting_reqs=num_waiting)
        client.logger_manager.record(stats, None, engine_idx=engine)
    client.logger_manager.record(None, None)
    await asyncio.sleep(0)
    assert (load.num_waiting, load.room) == (4, 0)


def test_listener_has_what_vllm_calls_of_a_stat_logger() -> None:
    called = set(vars(AggregateStatLoggerBase) | vars(AggregateStatLoggerBase.__base__ or object))
    assert {name for name in called if not name.startswith("_")} <= set(dir(LoadListener))


async def test_report_that_cannot_be_read_does_not_end_the_task_that_brings_the_answers() -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    LoadListener(EngineLoad(2, EngineReports())).record(object())
    await asyncio.sleep(0)
    assert len(faults) == 1


@pytest.mark.parametrize(
    ("parallel", "capacity"),
    [
        ({}, MAX_NUM_SEQS),
        ({"data_parallel_size": 4}, 4 * MAX_NUM_SEQS),
        ({"data_parallel_size": 4, "_api_process_count": 4}, MAX_NUM_SEQS),
        ({"_api_process_count": 4}, MAX_NUM_SEQS // 4),
        ({"_api_process_count": 100}, 1),
        ({"data_parallel_size": 4, "local_engines_only": True}, MAX_NUM_SEQS),
        (
            {"data_parallel_size": 8, "local_engines_only": True, "data_parallel_size_local": 2},
            2 * MAX_NUM_SEQS,
        ),
    ],
    ids=["one", "four engines", "a server for each", "four servers", "too many", "external balancing", "hybrid"],
)
def test_each_api_server_has_its_share_of_the_sequences(parallel: dict[str, Any], capacity: int) -> None:
    assert start_load(vllms_client(parallel)).max_num_seqs == capacity


def test_without_reports_it_counts_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    load = start_load(vllms_client({}, reports=False))
    load.count(MAX_NUM_SEQS)
    assert load.room == 0
    assert caplog.text.count("--disable-log-stats") == 1


@pytest.fixture(scope="module")
def small_cache(tmp_path_factory: pytest.TempPathFactory, demo_llm: Path, ranker_store: str) -> Iterator[RunningServer]:
    cache = f"--block-size 32 --num-gpu-blocks-override {TOKENS_THAT_FIT // 32 + 1} --no-enable-prefix-caching"
    settings = {
        "MLFLOW_TRACKING_URI": ranker_store,
        "PARS_TARGET_LLM": "demo-llm",
        "PARS_LLM": str(demo_llm),
        "PARS_RANKING_BACKLOG_MS": "60000",
        "PARS_VLLM_ARGS": f"--dtype float32 --enforce-eager --max-model-len 512 --max-num-seqs {MAX_NUM_SEQS} {cache}",
    }
    port = free_port()
    log = tmp_path_factory.mktemp("small_cache") / "log.txt"
    with running(["tests.engine_host", str(port)], port, settings, log) as started:
        yield started


async def metric(client: httpx.AsyncClient, name: str, **labels: str) -> float:
    families = text_string_to_metric_families((await client.get("/metrics")).text)
    samples = [one for family in families for one in family.samples if one.name == name]
    return sum(one.value for one in samples if labels.items() <= one.labels.items())


@pytest.mark.slow
async def test_requests_are_held_while_others_wait_for_the_kv_cache(small_cache: RunningServer) -> None:
    async with small_cache.client() as client:
        before = await metric(client, "pars_engine_requests_total", source="encoder")
        plugs = [asyncio.create_task(client.post("/v1/completions", json={**ANSWER, "prompt": "x"})) for _ in range(60)]
        async with asyncio.timeout(60):
            while await metric(client, "vllm:num_requests_waiting") < 5:
                await asyncio.sleep(0.02)
        assert await metric(client, "vllm:num_requests_running") <= MAX_NUM_SEQS / 2, "far fewer than it may"
        held = {"model": "demo-llm", "max_tokens": 1}
        prompts = [f"{' '.join([SLOW] * 6)} {number}" for number in range(4)]
        responses = await asyncio.gather(
            *(client.post("/v1/completions", json={**held, "prompt": prompt}) for prompt in prompts)
        )
        assert {response.status_code for response in responses} == {200}
        assert await metric(client, "pars_engine_requests_total", source="encoder") >= before + 4
        assert await metric(client, "vllm:num_requests_waiting") > 0, "the engine was full all the time"
        for plug in plugs:
            plug.cancel()
        await asyncio.gather(*plugs, return_exceptions=True)


@pytest.mark.slow
async def test_idle_engine_holds_nobody(small_cache: RunningServer) -> None:
    async with small_cache.client() as client:
        async with asyncio.timeout(60):
            while await metric(client, "vllm:num_requests_running") + await metric(client, "vllm:num_requests_waiting"):
                await asyncio.sleep(0.1)
        names = ("pars_engine_requests_total", "pars_ranking_hold_seconds_count")
        placed, held = [await metric(client, name) for name in names]
        alone = {"model": "demo-llm", "max_tokens": 1, "prompt": " ".join([SLOW] * 30)}
        assert (await client.post("/v1/completions", json=alone)).status_code == 200
        assert [await metric(client, name) for name in names] == [placed + 1, held]
