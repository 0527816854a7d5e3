"""From a request to its place in the queue, whichever model it names: each target LLM has its own holding queue.

Each has its own threads, so that a ranker that hangs holds up the requests of its target LLM only.
"""

from collections.abc import Mapping
from functools import partial
from typing import Self

from registry.request import TOO_LARGE, UnrankableContent
from serving.champion.served_rankers import MIDDLE, EngineRankers
from serving.config import Settings
from serving.metrics import FAIL_OPENS, NO_RANKER
from serving.ranking.holding_queue import HoldingQueue
from serving.ranking.load import EngineLoad, Seat
from serving.request_stages import EngineRequest, Place

ORDERING_IS_OFF = "ordering_off"
"""The reason of a place that is everybody's."""


class PlaceFinder:
    """Finds the place of each request. All methods belong to one event loop."""

    def __init__(self, rankers: EngineRankers, queue_of: Mapping[str, HoldingQueue]) -> None:
        self._rankers = rankers
        self._queue_of = queue_of

    @classmethod
    def start(cls, settings: Settings, rankers: EngineRankers, load: EngineLoad) -> Self:
        """With a holding queue for each target LLM; `close` ends their threads."""
        queues = {
            target_llm: HoldingQueue(
                partial(rankers.ranker, target_llm),
                load,
                target_llm=target_llm,
                budget_s=settings.ranking_budget_ms / 1000,
                backlog_s=settings.ranking_backlog_ms / 1000,
                num_threads=settings.ranking_threads,
            )
            for target_llm in rankers.target_llms
        }
        return cls(rankers, queues)

    def target_llm(self, model: str | None) -> str:
        """Whose ranker reads the requests for a model, as metrics say it."""
        return self._rankers.target_of(model) or NO_RANKER

    async def find_place(self, request: EngineRequest, seat: Seat) -> Place:
        """The place of a request, within the budgets; the median's if there is no ranker or no text for it.

        While ordering is off every request gets the same place, at once.

        Its seat is taken once it may go on.
        """
        target_llm = self._rankers.target_of(request.model)
        if not self._rankers.is_ordered(target_llm):
            return Place(MIDDLE, ORDERING_IS_OFF)
        if isinstance(request.text, UnrankableContent) and request.text.reason == TOO_LARGE:
            FAIL_OPENS.labels(TOO_LARGE, target_llm or NO_RANKER).inc()
            return Place(self._rankers.large_quantile(request.size), TOO_LARGE)
        if target_llm is None or not self._rankers.has_ranker(target_llm):
            FAIL_OPENS.labels("no_ranker", target_llm or NO_RANKER).inc()
            return Place(self._rankers.median_quantile(request.size), "no_ranker")
        queue = self._queue_of[target_llm]
        if isinstance(request.text, UnrankableContent):
            return queue.median(request.text.reason, request.size)
        return await queue.find_place(request.text, request.size, seat)

    def close(self) -> None:
        """Let the threads end; nothing is computed any more."""
        for queue in self._queue_of.values():
            queue.close()
