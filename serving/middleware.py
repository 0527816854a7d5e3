"""The ranking in plain vLLM, without BentoML: a middleware that sets the header `X-Vllm-Priority`.

`vllm serve MODEL --scheduling-policy priority --middleware serving.middleware.ShortestFirst`, with the same `PARS_*`
settings as the service (those of vLLM's own, as `PARS_LLM`, have no meaning here). It knows vLLM only by what the
application shows: its state, and the check of the API key among its middleware.
"""

import logging
from contextlib import AsyncExitStack
from typing import Any

from starlette.routing import Route
from vllm import envs

from registry.errors import UserError
from registry.secrets import guard_output
from registry.tracking import configure_tracking
from serving.arrival_clock import ArrivalClock
from serving.champion.served_rankers import EngineRankers
from serving.champion.start import follow_champions
from serving.config import load_settings
from serving.correction.kept_corrections import start_corrections
from serving.drift.live_drift import LiveDrift, start_drift
from serving.hosts.cores import give_way
from serving.hosts.engine_load import start_load
from serving.hosts.served_names import check_rankers, served_names
from serving.http.api_key import api_key_check
from serving.http.bodies import ASGIApp, Receive, Scope, Send, replay
from serving.http.ranking_route import RankingRoute
from serving.http.reception import Reception
from serving.http.route_labels import BoundedLabels
from serving.journal.journal import Journal
from serving.metrics import PATIENCE_SECONDS
from serving.ranking.admission import PriorityPolicy
from serving.ranking.load import EngineLoad
from serving.ranking.place_finder import PlaceFinder
from serving.ranking.prioritiser import Prioritiser
from serving.settings.environment import log_left_out

logger = logging.getLogger(__name__)

WRONG_POLICY = (
    "No request is ranked, because vLLM's scheduling policy must be `priority`, but is `%s`: start it with"
    " --scheduling-policy priority."
)


class ShortestFirst:
    """Pure ASGI middleware. The champion is loaded when the application starts, and followed until it stops."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = BoundedLabels(app)
        self._settings = load_settings()
        self._reception: Reception | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start, stop, or see to one request."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif self._reception is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "It cannot carry a priority."})
        elif scope["method"] == "POST":
            await self._reception.serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        startup = await receive()
        async with AsyncExitStack() as stack:
            try:
                self._reception = await self._open(scope["app"], stack)
            except Exception as error:  # whatever it is: uvicorn would take it for "no lifespan" and serve unranked
                logger.error("Requests cannot be ordered.", exc_info=not isinstance(error, UserError))
                await send({"type": "lifespan.startup.failed", "message": f"Error: {error}"})
            else:
                await self._app(scope, replay(startup, receive), send)

    async def _open(self, vllm_app: Any, stack: AsyncExitStack) -> Reception | None:
        guard_output()
        _log_as_vllm_does()
        log_left_out()
        config = vllm_app.state.vllm_config
        if config.scheduler_config.policy != "priority":
            logger.error(WRONG_POLICY, config.scheduler_config.policy)
            return None
        if config.device_config.device_type == "cpu":
            give_way()
        load = start_load(vllm_app.state.engine_client)
        rankers = await self._follow(vllm_app.state, stack) if self._settings.ranking else None
        place_finder = self._start_ranking(rankers, stack) if rankers else None
        drift = start_drift(rankers, stack)
        PATIENCE_SECONDS.set(self._settings.patience_s)
        prioritiser = self._start_prioritiser(load, place_finder, drift, vllm_app.state.engine_client, stack)
        is_authorised = api_key_check(vllm_app)
        vllm_app.router.routes.append(Route("/ranking", RankingRoute(rankers, is_authorised).show, methods=["GET"]))
        return Reception(
            self._app,
            prioritiser,
            is_authorised,
            max_body_bytes=self._settings.max_body_bytes,
            most_prompts=envs.VLLM_MAX_COMPLETION_PROMPTS,
        )

    async def _follow(self, state: Any, stack: AsyncExitStack) -> EngineRankers:
        check_rankers(self._settings, state.args)
        configure_tracking()
        following = follow_champions(self._settings, served_names(state.args)[0])
        rankers = await stack.enter_async_context(following)
        rankers.order_by_cost(self._settings.step_cost, state.vllm_config)
        return rankers

    def _start_prioritiser(
        self,
        load: EngineLoad,
        place_finder: PlaceFinder | None,
        drift: LiveDrift | None,
        client: Any,
        stack: AsyncExitStack,
    ) -> Prioritiser:
        clock = ArrivalClock()
        journal = Journal.start(self._settings, clock)
        stack.callback(journal.close)
        policy = PriorityPolicy.of(self._settings)
        prioritiser = Prioritiser(policy, clock, load, place_finder, journal=journal, drift=drift)
        client.generate = prioritiser.watch(client.generate)
        return prioritiser

    def _start_ranking(self, rankers: EngineRankers, stack: AsyncExitStack) -> PlaceFinder:
        place_finder = PlaceFinder.start(self._settings, rankers, start_corrections(self._settings, stack))
        stack.callback(place_finder.close)
        return place_finder


def _log_as_vllm_does() -> None:
    for room in ("serving", "registry"):
        ours = logging.getLogger(room)
        ours.setLevel(logging.INFO)
        if not ours.hasHandlers():
            ours.handlers = logging.getLogger("vllm").handlers
