"""The BentoML service: `bentoml serve` in the project folder. The only file that imports bentoml.

One service and one worker: ranking in-process costs half of what a second service would, and the order of the requests
is one order only if one process makes it. vLLM's engine has a process of its own.
"""

import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack
from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING, Any, NoReturn

import bentoml

from registry import store
from registry.card import InvalidRanker
from serving.config import SettingsError, load_settings
from serving.ranker_cache import RankerCache
from serving.reload import NoChampion, check_champion

if TYPE_CHECKING:
    from serving.server import Server

logger = logging.getLogger(__name__)

ENGINE_DID_NOT_START = signal.SIGUSR1
"""From the worker to its supervisor, which would otherwise start it again and again."""


def _read_settings() -> Any:
    try:
        return load_settings()
    except SettingsError as error:
        sys.exit(f"Error: {error}")


def _resources() -> dict[str, Any]:
    """A GPU for the CUDA build of vLLM; the CPU build is another distribution and asks for none.

    An engine over several GPUs: set CUDA_VISIBLE_DEVICES (or BENTOML_DISABLE_GPU_ALLOCATION), then BentoML allots none.
    """
    try:
        distribution("vllm")
    except PackageNotFoundError:
        return {}
    return {"gpu": 1}


def _give_up(*_: object) -> NoReturn:
    sys.exit("Error: the engine did not start; the reason stands above.")


class Shim:
    """The ASGI application that BentoML mounts; it forwards to vLLM's, which exists once the engine runs."""

    def __init__(self) -> None:
        self.app: Callable[..., Awaitable[None]] | None = None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Forward one connection."""
        assert self.app is not None, "BentoML sends nothing before on_startup has ended"
        await self.app(scope, receive, send)


# BentoML imports this file to serve, so that here, and only here, importing reads the environment: the decorator's
# arguments are needed now, and a wrong setting ends the command before any process is started.
settings = _read_settings()
shim = Shim()


@bentoml.service(
    name="pars",
    workers=1,
    resources=_resources(),
    traffic={"timeout": settings.request_timeout_s},
    # A span and a log line for each part of a streamed answer took much of this process's time in a burst, which is
    # time that ranking needs. vLLM traces requests itself (`--otlp-traces-endpoint`), and `/metrics` counts them.
    tracing={"excluded_urls": [".*"]},
    logging={"access": {"enabled": False}},
)
@bentoml.asgi_app(shim, path="/")
class Pars:
    """Your LLM behind vLLM's OpenAI API, short answers first."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._server: Server | None = None

    @bentoml.on_deployment  # type: ignore[untyped-decorator]  # BentoML loads its names lazily, out of mypy's sight
    @staticmethod
    def check() -> None:
        """In the supervisor, before any worker: what would stop the worker is said once, with exit code 1."""
        signal.signal(ENGINE_DID_NOT_START, _give_up)
        store.configure_tracking()
        try:
            settings.check_llm()
            if settings.ranking:
                for target_llm in settings.target_llms:
                    check_champion(target_llm, RankerCache(settings.cache))
        except (SettingsError, NoChampion, store.RegistryError) as error:
            sys.exit(f"Error: {error}")

    @bentoml.on_startup  # type: ignore[untyped-decorator]
    async def start(self) -> None:
        """In the worker: the ranker first, the engine last."""
        for room in ("serving", "registry"):  # in a worker the root logger passes errors only
            logging.getLogger(room).setLevel(logging.INFO)
        store.configure_tracking()
        try:
            from serving.server import run_server  # imports vllm: seconds that only the worker should pay

            self._server = await self._stack.enter_async_context(run_server(settings))
        except Exception as error:
            is_clear = isinstance(error, (SettingsError, NoChampion, store.RegistryError, InvalidRanker))
            logger.error("Error: %s", error, exc_info=not is_clear)
            os.kill(os.getppid(), ENGINE_DID_NOT_START)
            os._exit(1)  # BentoML would print a second trace; the engine, if it was there, is closed by now
        shim.app = self._server.app

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    async def stop(self) -> None:
        """Stop the engine."""
        await self._stack.aclose()

    def __is_ready__(self) -> bool:
        return self._server is not None and self._server.is_ready
