"""The BentoML service: `bentoml serve` in the project folder. The only file that imports bentoml.

One service and one worker: ranking in-process costs half of what a second service would, and the order of the requests
is one order only if one process makes it. vLLM's engine has a process of its own.
"""

import asyncio
import logging
import os
import signal
import sys
from contextlib import AsyncExitStack
from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING, Any, NoReturn

import bentoml

from registry.errors import UserError
from registry.secrets import guard_output
from registry.tracking import configure_tracking
from serving.champion.served_rankers import NoRanker
from serving.champion.start import check_rankers
from serving.config import SettingsError, load_settings
from serving.hosts.drain import Drain
from serving.hosts.gate import Gate
from serving.hosts.gpus import num_gpus
from serving.hosts.keep_alive import keep_alive
from serving.hosts.orphans import stop_with_parent
from serving.http.request_metrics import RequestMetrics, metrics_page
from serving.metrics import forget_dead_processes
from serving.settings.environment import log_left_out

if TYPE_CHECKING:
    from serving.hosts.server import Server

logger = logging.getLogger(__name__)

ENGINE_DOES_NOT_RUN = signal.SIGUSR1
"""From the worker to BentoML's supervisor, which would otherwise start it again and again, in a container never."""
ENGINE_CHECK_S = 0.5
LAST_ANSWERS_S = 5.0
"""How long the requests of an engine that has died may take to hear of it."""
CLOSE_LIMIT_S = 5.0
"""How long the engine may take to close where the process must end in any case."""


def _read_settings() -> Any:
    try:
        return load_settings()
    except SettingsError as error:
        sys.exit(f"Error: {error}")


def _resources() -> dict[str, Any]:
    """GPUs for the CUDA build of vLLM, by its parallel sizes; the CPU build is another distribution and asks for none.

    BentoML makes the first that many visible to the worker, unless CUDA_VISIBLE_DEVICES says which.
    """
    try:
        distribution("vllm")
    except PackageNotFoundError:
        return {}
    return {"gpu": num_gpus(settings.vllm_flags)}


def _give_up(*_: object) -> NoReturn:
    sys.exit("Error: the engine does not run; the reason stands above.")


# BentoML imports this file to serve, so that here, and only here, importing reads the environment: the decorator's
# arguments are needed now, and a wrong setting ends the command before any process is started.
settings = _read_settings()
gate = Gate()


@bentoml.service(
    name="pars",
    workers=1,
    resources=_resources(),
    traffic={"timeout": settings.request_timeout_s},
    # A span and a log line for each part of a streamed answer took much of this process's time in a burst, which is
    # time that ranking needs. vLLM traces requests itself (`--otlp-traces-endpoint`), and `/metrics` counts them.
    tracing={"excluded_urls": [".*"]},
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},  # they are labelled by path, of which a client can make up as many as it likes
)
@bentoml.asgi_app(gate, path="/")
@bentoml.asgi_app(metrics_page, path="/")  # what stands nearer to the class is asked first
class Pars:
    """Your LLM behind vLLM's OpenAI API, short answers first."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._server: Server | None = None
        self._watch: asyncio.Task[None] | None = None
        self._drain = Drain(gate, settings.drain_s, self._abandon)

    @bentoml.on_deployment  # type: ignore[untyped-decorator]  # BentoML loads its names lazily, out of mypy's sight
    @staticmethod
    def check() -> None:
        """In the supervisor, before any worker: what would stop the worker is said once, with exit code 1."""
        guard_output()
        signal.signal(ENGINE_DOES_NOT_RUN, _give_up)
        configure_tracking()
        try:
            settings.check_llm()
            settings.check_fallback()
            if settings.ranking and settings.require_ranker:
                asyncio.run(check_rankers(settings))
        except (SettingsError, NoRanker) as error:
            sys.exit(f"Error: {error}")

    @bentoml.on_startup  # type: ignore[untyped-decorator]
    async def start(self) -> None:
        """In the worker: the ranker first, the engine last."""
        guard_output()
        for room in ("serving", "registry"):  # in a worker the root logger passes errors only
            logging.getLogger(room).setLevel(logging.INFO)
        log_left_out()
        forget_dead_processes()
        stop_with_parent()  # a supervisor that is killed stops nobody
        configure_tracking()
        try:
            from serving.hosts.server import run_server  # imports vllm: seconds that only the worker should pay

            self._server = await self._stack.enter_async_context(run_server(settings))
        except Exception as error:
            is_clear = isinstance(error, UserError)
            logger.error("Error: %s", error, exc_info=not is_clear)
            _exit_with_supervisor()  # BentoML would print a second trace; the engine, if it was there, is closed by now
        gate.app = self._server.app
        self._watch = asyncio.create_task(self._exit_when_engine_dies(self._server))
        keep_alive(settings.keep_alive_s)
        self._drain.listen()

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    async def stop(self) -> None:
        """Stop the engine."""
        self._drain.end()
        self._watch_no_more()
        await self._stack.aclose()

    def __is_ready__(self) -> bool:
        return gate.is_open and self._server is not None and self._server.is_ready

    def _watch_no_more(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    async def _abandon(self) -> None:
        """The HTTP server does not end: stop the engine, and leave."""
        self._watch_no_more()
        try:
            await asyncio.wait_for(self._stack.aclose(), CLOSE_LIMIT_S)
        finally:
            os._exit(0)

    async def _exit_when_engine_dies(self, server: "Server") -> None:
        """Half a server helps nobody: all of it ends with exit code 1, and whoever supervises it starts it anew."""
        while server.is_ready:
            await asyncio.sleep(ENGINE_CHECK_S)
        logger.error("Error: the engine's process has died; its requests end in 500, and the service with exit code 1.")
        gate.close("The engine has died; the server is about to restart.")
        await gate.wait_until_empty(LAST_ANSWERS_S)
        try:
            await asyncio.wait_for(self._stack.aclose(), CLOSE_LIMIT_S)
        finally:  # what is left of a dead engine may neither close nor answer
            _exit_with_supervisor()


Pars.add_asgi_middleware(  # type: ignore[attr-defined]  # the decorator has made a service of the class
    RequestMetrics, service=bentoml.server_context
)


def _exit_with_supervisor() -> NoReturn:
    os.kill(os.getppid(), ENGINE_DOES_NOT_RUN)
    os._exit(1)
