"""`make soak`: minutes of load with faults, on `bentoml serve` and the real engine. SOAK_MINUTES says how many.

Two target LLMs on one engine; completions, lists of them and chat; swaps and rankers that hang or raise all the time;
then, one after another: overload, a registry that hangs, a SIGTERM restart and the death of the engine, each amid load.
"""

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import httpx
import mlflow
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from registry import store
from tests.conftest import tracking
from tests.mlflow_server import MlflowServer
from tests.servers import VLLM_ARGS, RunningServer, free_port, running
from tests.soak.traffic import Tally, Users
from tests.soak.vitals import Patient, growth
from tests.traps import HANGS, RAISES

pytestmark = [pytest.mark.slow, pytest.mark.soak, pytest.mark.timeout(0)]

MINUTES = float(os.environ.get("SOAK_MINUTES", "10"))
LOAD = 0.8
OVERLOAD = 1.5
CAPACITY_REQUESTS = 300
SECONDS = 60 * MINUTES
SWAP_EVERY_S = 60.0
FAULT_EVERY_S = 120.0
RAISING_S = 5.0
FAULT_AFTER_S = 10.0
"""How long there is load before the server is stopped, or its engine killed."""
DRAIN_S = 120
MAX_GROWTH = {"resident_megabytes": 0.05, "file_descriptors": 0.05, "threads": 0.05, "disk_megabytes": 0.05}
REPORTED = ("pars_ranker_reloads_total", "pars_engine_requests_total", "pars_ranking_fail_opens_total")
COUNTED_IN = ("pars_engine_sequences", "pars_requests_held")


class Soaked:
    """A server under supervision: whoever ends it, it is started anew on the same port."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self._folder = folder
        self._settings = settings | {"TMPDIR": str(folder / "tmp"), "BENTOML_HOME": str(folder / "bentoml")}
        (folder / "tmp").mkdir()
        self._port = free_port()
        self._lives = 0
        self._stack = ExitStack()
        self.server = self._start()

    def _start(self) -> RunningServer:
        self._lives += 1
        command = ["bentoml", "serve", "--port", str(self._port)]
        log = self._folder / f"life{self._lives}.txt"
        return self._stack.enter_context(running(command, self._port, self._settings, log))

    def patient(self) -> Patient:
        """Its worker process, as it is now."""
        return Patient(self.server.pid, [self._folder / name for name in ("rankers", "tmp", "bentoml")])

    def restart(self) -> None:
        """SIGTERM, wait until it has ended, and start it anew."""
        os.kill(self.server.pid, signal.SIGTERM)
        self._start_again()

    def kill_engine(self) -> None:
        """SIGKILL to the engine; the service ends by itself, and is started anew."""
        worker = psutil.Process(self.server.pid).children(recursive=True)
        next(one for one in worker if "EngineCore" in _name(one)).kill()
        self._start_again()

    def _start_again(self) -> None:
        with suppress(psutil.NoSuchProcess):
            psutil.Process(self.server.pid).wait(DRAIN_S + 60)
        self._stack.close()
        self.server = self._start()

    @property
    def logs(self) -> str:
        """What all its lives have said."""
        return "".join(path.read_text(errors="replace") for path in sorted(self._folder.glob("life*.txt")))

    def stop(self) -> None:
        """End it."""
        self._stack.close()


def _name(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):
        return " ".join([process.name(), *process.cmdline()])
    return ""


@pytest.fixture(scope="module")
def registry(ranker_store: str) -> Iterator[MlflowServer]:
    server = MlflowServer(Path(ranker_store.removeprefix("sqlite:///")).parent)
    server.start()
    server.wait()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory, demo_llm: Path, registry: MlflowServer) -> Iterator[Soaked]:
    settings = {
        "MLFLOW_TRACKING_URI": registry.uri,
        "PARS_TARGET_LLM": "demo-llm",
        "PARS_LLM": str(demo_llm),
        "PARS_RANKERS": "demo-llm=demo-llm,wordy=wordy-llm",
        "PARS_VLLM_ARGS": f"{VLLM_ARGS} --max-num-seqs 16 --served-model-name demo-llm wordy",
        "PARS_DRAIN_S": str(DRAIN_S),
    }
    soaked = Soaked(tmp_path_factory.mktemp("soak"), settings)
    yield soaked
    soaked.stop()


async def swap_again_and_again(ranker_store: str) -> None:
    for version in itertools.cycle((2, 1)):
        await asyncio.sleep(SWAP_EVERY_S)
        with tracking(ranker_store):
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
async def meanwhile(*jobs: Awaitable[None]) -> AsyncIterator[None]:
    """Cancel them at the end; one that has failed fails the soak."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def hang(registry: MlflowServer, seconds: float) -> None:
    registry.hang()
    try:
        await asyncio.sleep(seconds)
    finally:
        registry.go_on()


async def down_and_up(users: Users, soaked: Soaked, how: str) -> None:
    """Let the server end amid load, and be started anew."""
    await asyncio.sleep(FAULT_AFTER_S)
    users.is_down, users.is_cut = True, how == "kill_engine"
    await asyncio.to_thread(getattr(soaked, how))
    users.is_down = users.is_cut = False


def counted(url: str) -> dict[str, float]:
    """What the server has counted by now."""
    seen: dict[str, float] = {}
    for family in text_string_to_metric_families(httpx.get(f"{url}/metrics", timeout=60).text):
        for sample in family.samples:
            labels = [sample.labels[name] for name in ("outcome", "source", "reason") if name in sample.labels]
            if sample.name in REPORTED:
                name = "_".join([sample.name.removesuffix("_total"), *labels])
                seen[name] = seen.get(name, 0) + sample.value
            elif sample.name in COUNTED_IN:
                seen[sample.name] = seen.get(sample.name, 0) + sample.value
    return seen


async def test_no_request_is_lost_and_nothing_grows(soaked: Soaked, registry: MlflowServer, ranker_store: str) -> None:
    users, patient = Users(soaked.server.url), soaked.patient()
    await users.requests_per_s(CAPACITY_REQUESTS)  # a server's first burst finds it cold
    capacity_per_s = await users.requests_per_s(CAPACITY_REQUESTS)
    assert users.tally.lost == []
    users.tally = Tally()
    async with meanwhile(swap_again_and_again(ranker_store), break_again_and_again(users), patient.watch()):
        await users.send_at(LOAD * capacity_per_s, 0.15 * SECONDS)
        before = patient.vitals()
        await users.send_at(OVERLOAD * capacity_per_s, 0.1 * SECONDS)
        async with meanwhile(hang(registry, 0.1 * SECONDS)):
            await users.send_at(LOAD * capacity_per_s, 0.2 * SECONDS)
        await users.send_at(LOAD * capacity_per_s, 0.25 * SECONDS)
        grown, seen = growth(before, patient.vitals()), counted(soaked.server.url)
        for how in ("restart", "kill_engine"):
            async with asyncio.TaskGroup() as both:
                both.create_task(down_and_up(users, soaked, how))
                both.create_task(users.send_at(LOAD * capacity_per_s, 0.15 * SECONDS))
    with tracking(ranker_store):
        store.promote("demo-llm", 1)
    at_end = counted(soaked.server.url)
    report(table_of(users, capacity_per_s, grown, seen, at_end), patient)
    assert users.tally.lost == []
    assert "did not finish in time" not in soaked.logs
    assert {name: at_end[name] for name in COUNTED_IN} == dict.fromkeys(COUNTED_IN, 0)
    assert {name: share for name, share in grown.items() if share >= MAX_GROWTH[name]} == {}
    assert seen["pars_ranker_reloads_swapped"] >= int(MINUTES / 2) - 1
    assert seen["pars_ranker_reloads_unreachable"] > 0


def table_of(
    users: Users, capacity_per_s: float, grown: dict[str, float], seen: dict[str, float], at_end: dict[str, float]
) -> dict[str, float]:
    tally = users.tally
    return {
        "minutes": MINUTES,
        "capacity_requests_per_s": capacity_per_s,
        "requests_sent": tally.sent,
        "requests_finished": tally.finished,
        "requests_disconnected": tally.disconnected,
        "requests_turned_away": tally.turned_away,
        "requests_lost": len(tally.lost),
        **{f"sent_{kind.strip('/').replace('/', '_').replace(' ', '_')}": n for kind, n in tally.kinds.items()},
        **{f"{name}_growth": share for name, share in grown.items()},
        **seen,
        **{f"{name}_at_end": at_end[name] for name in COUNTED_IN if name in at_end},
    }


def report(table: dict[str, float], patient: Patient) -> None:
    print("\n" + "\n".join(f"{name:48}{value:12.4g}" for name, value in table.items()))  # noqa: T201
    with tracking(os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{Path('mlflow.db').resolve()}")):
        mlflow.set_experiment("Default")
        with mlflow.start_run(run_name="soak"):
            mlflow.log_metrics(table)
            for at_s, vitals in patient.samples:
                mlflow.log_metrics(asdict(vitals), step=round(at_s))
