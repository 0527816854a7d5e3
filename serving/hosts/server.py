"""The parts put together: the champion first, since failing is cheap there; then the engine; then the application."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.routing import Route

from serving.arrival_clock import ArrivalClock
from serving.champion.served_rankers import EngineRankers
from serving.champion.start import follow_champions
from serving.config import Settings
from serving.correction.corrections import Corrections
from serving.correction.kept_corrections import start_corrections
from serving.drift.live_drift import start_drift
from serving.hosts.engine import openai_app, parse_vllm_args, start_engine
from serving.hosts.engine_load import start_load
from serving.http.api_key import api_key_check
from serving.http.arrival_layer import ArrivalLayer
from serving.http.body_faults import BodyFaultLayer
from serving.http.rank_route import RankRoute
from serving.http.ranking_route import RankingRoute
from serving.journal.journal import Journal
from serving.metrics import PATIENCE_SECONDS
from serving.outcomes import Outcomes
from serving.ranking.admission import PriorityPolicy
from serving.ranking.place_finder import PlaceFinder
from serving.ranking.prioritiser import Prioritiser

GIL_SWITCH_S = 0.0005
"""How long a ranking thread waits for a busy event loop to let it go on. Python's own 5 ms would be paid more than once
in each ranking while a burst is taken in."""
OUTCOMES_CHECK_S = 5.0
"""How late the metrics page may forget what is older than its window."""


@dataclass(frozen=True)
class Server:
    """A running engine and its application."""

    app: FastAPI
    client: Any
    prioritiser: Prioritiser

    @property
    def is_ready(self) -> bool:
        """Whether the engine's process is alive."""
        return not self.client.errored


@asynccontextmanager
async def run_server(settings: Settings) -> AsyncIterator[Server]:
    """Load the champion, start the engine, and build vLLM's application around our priorities; on leaving, stop all.

    Raises:
        SettingsError: a wrong vLLM flag.
        NoRanker: PARS_REQUIRE_RANKER is on, and there is none.
    """
    args = parse_vllm_args(settings)
    sys.setswitchinterval(GIL_SWITCH_S)
    clock = ArrivalClock()
    async with AsyncExitStack() as stack:
        rankers = await _follow(settings, args.served_model_name[0], stack)
        client = await stack.enter_async_context(start_engine(args))
        if rankers is not None:
            rankers.order_by_cost(settings.step_cost, client.vllm_config)
        load = start_load(client)
        corrections = start_corrections(settings, stack)
        place_finder = PlaceFinder.start(settings, rankers, corrections) if rankers else None
        if place_finder is not None:
            stack.callback(place_finder.close)
        PATIENCE_SECONDS.set(settings.patience_s)
        outcomes = Outcomes()
        stack.callback(asyncio.create_task(_keep_recent(outcomes)).cancel)
        journal = Journal.start(settings, clock)
        stack.callback(journal.close)
        drift = start_drift(rankers, stack)
        prioritiser = Prioritiser(PriorityPolicy.of(settings), clock, load, place_finder, outcomes, journal, drift)
        arrival = Middleware(ArrivalLayer, clock, settings.trust_client_priority, settings.max_body_bytes)
        layers = [arrival, Middleware(BodyFaultLayer, lambda: not client.errored)]
        app = await stack.enter_async_context(openai_app(client, args, prioritiser, layers))
        app.router.routes.extend(_our_routes(settings, rankers, corrections, app))
        yield Server(app, client, prioritiser)


async def _keep_recent(outcomes: Outcomes) -> None:
    while True:
        await asyncio.sleep(OUTCOMES_CHECK_S)
        outcomes.forget_what_is_old()


async def _follow(settings: Settings, default_model: str, stack: AsyncExitStack) -> EngineRankers | None:
    if not settings.ranking:
        return None
    return await stack.enter_async_context(follow_champions(settings, default_model))


def _our_routes(
    settings: Settings, rankers: EngineRankers | None, corrections: Corrections, app: FastAPI
) -> list[Route]:
    is_authorised = api_key_check(app)
    ranker_of = rankers.ranker_of if rankers else None
    limit_s = settings.ranking_backlog_ms / 1000
    rank = RankRoute(
        ranker_of,
        is_authorised,
        limit_s=limit_s,
        max_body_bytes=settings.max_body_bytes,
        has_caps=settings.cap_by_max_tokens,
        corrections=corrections,
    )
    return [
        Route("/rank", rank.rank, methods=["POST"]),
        Route("/ranking", RankingRoute(rankers, is_authorised).show, methods=["GET"]),
    ]
