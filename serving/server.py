"""The parts put together: the champion first, since failing is cheap there; then the engine; then the application."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import Headers

from serving.config import Settings
from serving.engine import max_num_seqs, openai_app, parse_vllm_args, start_engine
from serving.load import EngineLoad
from serving.prioritiser import Policy, Prioritiser
from serving.priority import ArrivalClock
from serving.rank_api import RankEndpoint
from serving.ranker_cache import RankerCache
from serving.ranking import Ranking
from serving.reload import ChampionFollower

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
        follower = await _follow_champion(settings, stack) if settings.ranking else None
        client = await stack.enter_async_context(start_engine(args))
        load = EngineLoad(max_num_seqs(client))
        ranking = _make_ranking(settings, follower, load, stack) if follower else None
        prioritiser = Prioritiser(_policy(settings), clock, load, ranking)
        endpoint = _rank_endpoint(settings, follower)
        app = await stack.enter_async_context(openai_app(client, args, prioritiser, clock, endpoint))
        yield Server(app, client, prioritiser)


async def _follow_champion(settings: Settings, stack: AsyncExitStack) -> ChampionFollower:
    cache = RankerCache(settings.cache)
    follower = await asyncio.to_thread(ChampionFollower, settings.target_llm, settings.champion_poll_s, cache)
    task = asyncio.create_task(follower.follow())
    stack.push_async_callback(_cancel, task)
    return follower


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _make_ranking(settings: Settings, follower: ChampionFollower, load: EngineLoad, stack: AsyncExitStack) -> Ranking:
    ranking = Ranking(
        lambda: follower.champion.ranker,
        load,
        budget_s=settings.ranking_budget_ms / 1000,
        backlog_s=settings.ranking_backlog_ms / 1000,
        num_threads=settings.ranking_threads,
    )
    stack.callback(ranking.close)
    return ranking


def _rank_endpoint(
    settings: Settings, follower: ChampionFollower | None
) -> Callable[[Callable[[Headers], bool]], RankEndpoint]:
    champion = (lambda: follower.champion) if follower else None
    limit_s = settings.ranking_backlog_ms / 1000
    return lambda is_authorised: RankEndpoint(champion, is_authorised, settings.max_body_bytes, limit_s)


def _policy(settings: Settings) -> Policy:
    return Policy(settings.patience_s, settings.cap_by_max_tokens, settings.trust_client_priority)
