"""The target LLMs that one engine answers as: whose ranker each model name has, and the distribution they share."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Protocol

from registry.calibration import Mixture
from registry.ranker import Prediction
from serving.champion.follower import Champion, ChampionFollower
from serving.champion.ranker_copies import RankerCopies
from serving.config import Settings


class FollowsChampion(Protocol):
    """Knows the champion of one target LLM as it is now (`serving.champion.follower`)."""

    @property
    def champion(self) -> Champion:
        """The one that is served."""


@dataclass(frozen=True)
class ServedRanker:
    """A champion whose quantiles are places among the answers of all target LLMs of the engine.

    Two of these are equal if they are the same version of the same ranker.
    """

    champion: Champion
    rankers: "EngineRankers"

    @property
    def version(self) -> int:
        """The ranker's version in the registry."""
        return self.champion.version

    def predict(self, prompt: str, cap_tokens: float | None = None) -> Prediction:
        """The prediction for one prompt.

        Raises: what `registry.ranker.Ranker.predict` raises.
        """
        prediction = self.champion.ranker.predict(prompt)
        return replace(prediction, quantile=self.rankers.quantile(prediction.predicted_tokens, cap_tokens))

    def median_quantile(self, cap_tokens: float | None = None) -> float:
        """The place of a request to this target LLM that cannot be ranked."""
        return self.rankers.quantile(self.champion.ranker.card.distribution.median_tokens, cap_tokens)


class EngineRankers:
    """Maps model names to rankers. All methods may be called from any thread."""

    def __init__(
        self, followers: Mapping[str, FollowsChampion], target_of: Mapping[str, str], default_model: str
    ) -> None:
        """Set up the names.

        Args:
            followers: by target LLM; each is asked at each use, so that a swap needs no word here.
            target_of: the target LLM of each model name; empty if the only champion ranks for every name.
            default_model: the name that a request without one means.
        """
        assert followers
        self._followers = followers
        self._target_of = target_of
        self._default_model = default_model
        self._mixture: Mixture | None = None

    @property
    def target_llms(self) -> Iterable[str]:
        """The target LLMs that have a ranker."""
        return self._followers.keys()

    def target_of(self, model: str | None) -> str | None:
        """The target LLM whose ranker reads the requests for this model; None if there is none."""
        if not self._target_of:
            return next(iter(self._followers))
        return self._target_of.get(model or self._default_model)

    def ranker(self, target_llm: str) -> ServedRanker:
        """The ranker that is served for a target LLM now."""
        return ServedRanker(self._followers[target_llm].champion, self)

    def ranker_of(self, model: str | None) -> ServedRanker | None:
        """The ranker that is served for a model name now; None if there is none."""
        target_llm = self.target_of(model)
        return None if target_llm is None else self.ranker(target_llm)

    def quantile(self, tokens: float, cap_tokens: float | None = None) -> float:
        """The place of a predicted length among all predicted lengths of the engine, 0 to 1."""
        return self.mixture.quantile(tokens if cap_tokens is None else min(tokens, cap_tokens))

    def median_quantile(self, cap_tokens: float | None = None) -> float:
        """The place of a request for a model without a ranker."""
        return self.quantile(self.mixture.median_tokens, cap_tokens)

    @property
    def mixture(self) -> Mixture:
        """The distribution of predicted tokens of the champions that are served now."""
        parts = tuple(one.champion.ranker.card.distribution for one in self._followers.values())
        mixture = self._mixture
        if mixture is None or mixture.parts != parts:  # after a swap; two threads may both come here, to the same end
            self._mixture = mixture = Mixture(parts)
        return mixture


@asynccontextmanager
async def follow_champions(settings: Settings, default_model: str) -> AsyncIterator[EngineRankers]:
    """Load the champion of each target LLM, and follow their aliases until the block ends.

    Raises:
        NoChampion, RegistryError, InvalidRanker: there is no ranker to serve.
    """
    cache = RankerCopies(settings.cache)
    followers: dict[str, FollowsChampion] = {}
    async with AsyncExitStack() as stack:
        for target_llm in settings.target_llms:
            follower = await asyncio.to_thread(ChampionFollower, target_llm, settings.champion_poll_s, cache)
            stack.push_async_callback(_cancel, asyncio.create_task(follower.follow()))
            followers[target_llm] = follower
        yield EngineRankers(followers, settings.rankers, default_model)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
