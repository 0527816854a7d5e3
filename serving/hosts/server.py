"""The parts put together: the champion first, since failing is cheap there; then the engine; then the application."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware import Middleware

from serving.champion.engine_rankers import Targets, follow_targets
from serving.config import Settings
from serving.hosts.engine import openai_app, parse_vllm_args, start_engine
from serving.http.body_faults import UnreadableLayer
from serving.http.rank_route import RankEndpoint
from serving.metrics import PATIENCE_SECONDS
from serving.outcomes import Outcomes
from serving.ranking.load import EngineLoad, max_num_seqs
from serving.ranking.place_finder import Rankings
from serving.ranking.prioritiser import Prioritiser, policy_of
from serving.ranking.priority import ArrivalClock
from serving.requests import IncomingLayer

GIL_SWITCH_S = 0.0005
"""How long a ranking thread waits for a busy event loop to let it go on. Python's own 5 ms would be paid more than once
in each ranking while a burst is taken in."""


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
        NoChampion, RegistryError, InvalidRanker: there is no ranker to serve.
    """
    args = parse_vllm_args(settings)
    sys.setswitchinterval(GIL_SWITCH_S)
    clock = ArrivalClock()
    async with AsyncExitStack() as stack:
        targets = await _follow(settings, args.served_model_name[0], stack)
        client = await stack.enter_async_context(start_engine(args))
        load = EngineLoad(max_num_seqs(client.vllm_config))
        rankings = Rankings.start(settings, targets, load) if targets else None
        if rankings is not None:
            stack.callback(rankings.close)
        PATIENCE_SECONDS.set(settings.patience_s)
        prioritiser = Prioritiser(policy_of(settings), clock, load, rankings, Outcomes())
        incoming = Middleware(IncomingLayer, clock, settings.trust_client_priority, settings.max_body_bytes)
        layers = [incoming, Middleware(UnreadableLayer, lambda: not client.errored)]
        endpoint = _rank_endpoint(settings, targets)
        app = await stack.enter_async_context(openai_app(client, args, prioritiser, layers, endpoint))
        yield Server(app, client, prioritiser)


async def _follow(settings: Settings, default_model: str, stack: AsyncExitStack) -> Targets | None:
    if not settings.ranking:
        return None
    return await stack.enter_async_context(follow_targets(settings, default_model))


def _rank_endpoint(settings: Settings, targets: Targets | None) -> Callable[[Callable[[Headers], bool]], RankEndpoint]:
    ranker_of = targets.ranker_of if targets else None
    limit_s = settings.ranking_backlog_ms / 1000
    return lambda is_authorised: RankEndpoint(ranker_of, is_authorised, limit_s)
