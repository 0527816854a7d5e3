"""How the server ends: SIGTERM drains it, and an engine that dies takes the service with it, with exit code 1. A worker
or a supervisor that is killed leaves nobody behind.

The second one here also starts without a registry, on the last ranker that was served.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from serving.champion.ranker_copies import RankerCopies
from tests.rankers import write_ranker
from tests.servers import VLLM_ARGS, RunningServer, free_port, running

pytestmark = pytest.mark.slow

UNREACHABLE = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
DRAIN_S = 20
SHORT = {"model": "demo-llm", "prompt": "one", "max_tokens": 500, "ignore_eos": True}
ENDLESS = {**SHORT, "max_tokens": 4000, "n": 64}
"""On two sequences at a time this takes minutes."""


@contextmanager
def served(folder: Path, demo_llm: Path, registry: dict[str, str]) -> Iterator[RunningServer]:
    settings = {
        **registry,
        "PARS_TARGET_LLM": "demo-llm",
        "PARS_LLM": str(demo_llm),
        "PARS_VLLM_ARGS": f"{VLLM_ARGS} --max-num-seqs 2",
        "PARS_DRAIN_S": str(DRAIN_S),
    }
    port = free_port()
    with running(["bentoml", "serve", "--port", str(port)], port, settings, folder / "log.txt") as server:
        yield server


async def eventually(is_so: Callable[[], bool], limit_s: float = 60) -> None:
    async with asyncio.timeout(limit_s):
        while not is_so():
            await asyncio.sleep(0.1)


def has_ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def exit_code(pid: int) -> int:
    """Of a child of this process that has ended."""
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    return ended.si_status


def ready(server: RunningServer) -> int:
    return httpx.get(f"{server.url}/readyz", timeout=10).status_code


def is_not_ready(server: RunningServer) -> bool:
    """503, or nobody there any more."""
    try:
        return ready(server) == 503
    except httpx.TransportError:
        return True


async def test_sigterm_lets_running_requests_finish_within_the_limit_and_refuses_new_ones(
    tmp_path: Path, demo_llm: Path, ranker_store: str
) -> None:
    with served(tmp_path, demo_llm, {"MLFLOW_TRACKING_URI": ranker_store}) as server:
        assert ready(server) == 200
        children = psutil.Process(server.pid).children(recursive=True)
        async with server.client() as client:
            running_ = [asyncio.create_task(client.post("/v1/completions", json=SHORT)) for _ in range(2)]
            await asyncio.sleep(0.3)
            endless = asyncio.create_task(client.post("/v1/completions", json=ENDLESS))
            await asyncio.sleep(0.3)
            for pid in (server.pid, *(child.pid for child in children)):  # as systemd does
                os.kill(pid, signal.SIGTERM)
            started_s = time.monotonic()
            await eventually(lambda: ready(server) == 503)
            for child in children:  # once more: the supervisor's own may have come together with the first, as one
                os.kill(child.pid, signal.SIGTERM)
            refused = await client.post("/v1/completions", json=SHORT)
            assert refused.status_code == 503
            assert "stopping" in refused.json()["error"]["message"]
            for response in await asyncio.gather(*running_):
                assert response.status_code == 200
                assert response.json()["usage"]["completion_tokens"] == 500
            cut = await endless
            assert cut.status_code == 503, "it had no answer yet, and the limit is over"
            assert time.monotonic() - started_s > DRAIN_S / 2
        await eventually(lambda: has_ended(server.pid))
        await eventually(lambda: all(has_ended(child.pid) for child in children))
        assert exit_code(server.pid) == 0
        log = server.log.read_text()
    assert "1 requests did not finish in time (PARS_DRAIN_S)" in log
    assert "SIGTERM while the server is stopping changes nothing" in log
    assert "Traceback" not in log.partition("SIGTERM: running requests")[2]


@pytest.fixture
def without_registry(tmp_path: Path) -> dict[str, str]:
    """Settings of a server whose registry nobody listens for, but which has served version 7 before."""
    cache = RankerCopies(tmp_path / "cache")
    with cache.fresh_folder("demo-llm") as folder:
        cache.keep("demo-llm", 7, write_ranker(folder))
    return {**UNREACHABLE, "PARS_CACHE": str(tmp_path / "cache"), "PARS_CHAMPION_POLL_S": "0.5"}


async def test_without_registry_the_last_ranker_serves_and_an_engine_that_is_killed_ends_all_with_exit_code_1(
    tmp_path: Path, demo_llm: Path, without_registry: dict[str, str]
) -> None:
    with served(tmp_path, demo_llm, without_registry) as server:
        children = psutil.Process(server.pid).children(recursive=True)
        engine = next(child for child in children if child.name().startswith("VLLM::Engine"))
        async with server.client() as client:
            assert (await client.post("/rank", json={"prompt": "one two"})).json()["ranker_version"] == 7
            log = server.log.read_text()
            assert "A ranker in the cache stands in for the champion of demo-llm: the registry at" in log
            assert "pars-demo-llm version 7 is served" in log
            page = (await client.get("/metrics")).text.splitlines()
            assert 'pars_ranker_reloads_total{outcome="cached"} 1.0' in [line for line in page if "reloads" in line]
            tasks = [asyncio.create_task(client.post("/v1/completions", json=ENDLESS)) for _ in range(4)]
            await asyncio.sleep(1)
            engine.kill()
            for response in await asyncio.gather(*tasks):
                assert response.status_code == 500
                assert response.json()["error"]["message"]
        assert is_not_ready(server)
        await eventually(lambda: has_ended(server.pid))
        await eventually(lambda: all(has_ended(child.pid) for child in children))
        assert exit_code(server.pid) == 1
        assert "the engine's process has died" in server.log.read_text()


def is_alive(server: RunningServer) -> bool:
    try:
        return ready(server) == 200
    except httpx.TransportError:
        return False


def worker_and_descendants(server: RunningServer) -> tuple[psutil.Process, list[psutil.Process]]:
    (worker,) = psutil.Process(server.pid).children()
    return worker, worker.children(recursive=True)


async def test_worker_or_supervisor_that_is_killed_leaves_no_engine_and_another_server_can_start(
    tmp_path: Path, demo_llm: Path, without_registry: dict[str, str]
) -> None:
    with served(tmp_path, demo_llm, without_registry) as server:
        worker, descendants = worker_and_descendants(server)
        assert any(one.name().startswith("VLLM::Engine") for one in descendants)
        worker.kill()
        await eventually(lambda: all(has_ended(one.pid) for one in descendants), 10)
        await eventually(lambda: is_alive(server), 200)  # the supervisor has started another worker
        worker, descendants = worker_and_descendants(server)
        os.kill(server.pid, signal.SIGKILL)
        await eventually(lambda: all(has_ended(one.pid) for one in (worker, *descendants)))
