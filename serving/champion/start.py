"""The start of serving rankers: what there is within a few seconds, for each target LLM; then they are followed.

Nothing here keeps the LLM from being served, unless PARS_REQUIRE_RANKER says so.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from registry import watch
from serving.champion import time_limits
from serving.champion.follower import ChampionFollower, no_champion, unreachable
from serving.champion.ordering_switch import OrderingSwitch, follow_file, state_of
from serving.champion.ranker_copies import RankerCopies
from serving.champion.served_rankers import EngineRankers, NoRanker
from serving.config import Settings
from serving.threads import TimedCalls

START_LIMIT_S = 15.0
"""How long a start waits for champions, of all target LLMs together."""


@asynccontextmanager
async def follow_champions(settings: Settings, default_model: str) -> AsyncIterator[EngineRankers]:
    """Serve a ranker for each target LLM, if there is one, and follow their champions until the block ends.

    Raises:
        SettingsError: the folder of a fallback ranker is not there.
        NoRanker: PARS_REQUIRE_RANKER is on, and a target LLM has none.
    """
    settings.check_fallback()
    time_limits.give_up_soon()
    switch = OrderingSwitch(settings.target_llms, settings.ordering_file)
    cache = RankerCopies(settings.cache)
    followers = {
        one: ChampionFollower(one, settings.champion_poll_s, cache, switch, settings.score_cache)
        for one in settings.target_llms
    }
    async with AsyncExitStack() as stack:
        for task in (follow_file(settings.ordering_file, switch), *(one.follow() for one in followers.values())):
            stack.push_async_callback(_cancel, asyncio.create_task(task))
        await _first_looks(followers.values())
        await asyncio.gather(*(one.stand_in(settings.fallback_of(name)) for name, one in followers.items()))
        if settings.require_ranker:
            _require({name: one.trouble for name, one in followers.items() if one.champion is None})
        for follower in followers.values():
            follower.say_if_missing()
        yield EngineRankers(followers, settings.rankers, default_model, switch)


async def check_rankers(settings: Settings) -> None:
    """Check that each target LLM has a ranker, as a start would.

    Raises: what `follow_champions` raises.
    """
    async with follow_champions(settings, settings.target_llm):
        return


def find_champion(target_llm: str) -> int:
    """The version that is the champion, and would order requests: what a server that is to be measured must have.

    Raises:
        NoRanker: there is none, its target LLM is not ordered, or the registry cannot be asked.
    """
    try:
        sighting = asyncio.run(TimedCalls("registry").call(START_LIMIT_S, watch.look, target_llm))
    except Exception as error:  # MLflow lets through what its HTTP or database library raises
        raise NoRanker(f"{unreachable(error)}.") from error
    if sighting.champion is None:
        raise NoRanker(f"{no_champion(target_llm)}.")
    if state_of(sighting.ordering) is False:
        raise NoRanker(f"the ordering of {target_llm} is switched off in the registry: switch it on first.")
    return sighting.champion.number


async def _first_looks(followers: Iterable[ChampionFollower]) -> None:
    looks = [asyncio.create_task(one.has_looked.wait()) for one in followers]
    await asyncio.wait(looks, timeout=START_LIMIT_S)
    for look in looks:
        look.cancel()


def _require(troubles: Mapping[str, str]) -> None:
    if troubles:
        raise NoRanker(f"PARS_REQUIRE_RANKER is on, but {'; and '.join(troubles.values())}.")


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
