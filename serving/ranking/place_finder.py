"""The way from a request to its place in the queue, whichever model it names: each target LLM has its own ranking.

Each has its own threads and its own queue, so that a ranker that hangs holds up the requests of its target LLM only.
"""

from collections.abc import Callable, Mapping
from typing import Self

from registry.request import UnrankableContent
from registry.texts import Text
from serving.champion.engine_rankers import Targets
from serving.config import Settings
from serving.metrics import FAIL_OPENS
from serving.ranking.holding_queue import Place, Ranking, Ranks
from serving.ranking.load import EngineLoad


class Rankings:
    """Finds the place of each request. All methods belong to one event loop."""

    def __init__(self, targets: Targets, load: EngineLoad, ranking_of: Mapping[str, Ranking]) -> None:
        self._targets = targets
        self._load = load
        self._ranking_of = ranking_of

    @classmethod
    def start(cls, settings: Settings, targets: Targets, load: EngineLoad) -> Self:
        """With a ranking for each target LLM; `close` ends their threads."""
        rankings = {
            target_llm: _start(settings, _ranker(targets, target_llm), load) for target_llm in targets.champions
        }
        return cls(targets, load, rankings)

    async def find_place(
        self, model: str | None, text: Text, cap_tokens: float | None, num_sequences: int = 1
    ) -> Place:
        """The place of a request for `model`, within the budgets; the median's if there is no ranker or no text for it.

        On return the request is counted in the engine's load (the caller counts it out); if cancelled, it is not.
        """
        target_llm = self._targets.target_of(model)
        if target_llm is None:
            return self._without_ranker(cap_tokens, num_sequences)
        ranking = self._ranking_of[target_llm]
        if isinstance(text, UnrankableContent):
            return ranking.median(text.reason, cap_tokens, num_sequences)
        return await ranking.find_place(text, cap_tokens, num_sequences)

    def close(self) -> None:
        """Let the threads end; nothing is computed any more."""
        for ranking in self._ranking_of.values():
            ranking.close()

    def _without_ranker(self, cap_tokens: float | None, num_sequences: int) -> Place:
        FAIL_OPENS.labels("no_ranker").inc()
        self._load.enter(num_sequences)
        return Place(self._targets.median_quantile(cap_tokens), "no_ranker")


def _start(settings: Settings, ranker: Callable[[], Ranks], load: EngineLoad) -> Ranking:
    return Ranking(
        ranker,
        load,
        budget_s=settings.ranking_budget_ms / 1000,
        backlog_s=settings.ranking_backlog_ms / 1000,
        num_threads=settings.ranking_threads,
    )


def _ranker(targets: Targets, target_llm: str) -> Callable[[], Ranks]:
    return lambda: targets.ranker(target_llm)
