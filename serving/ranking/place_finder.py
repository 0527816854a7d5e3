"""From a request to the place that is known at once, whichever model it names, and to who may find a better one.

Each target LLM has an encoder queue of its own, so that an encoder that hangs holds up the requests of that LLM only.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Self, get_args

from registry.ranker import Tier
from registry.request import TOO_LARGE, UnrankableContent
from registry.request_features import RequestView
from serving.champion.served_rankers import MIDDLE, EngineRankers
from serving.config import Settings
from serving.correction.corrections import Corrections
from serving.metrics import HELD_REQUESTS, HOLD_SECONDS, NO_RANKER, RANKING_SECONDS
from serving.ranking.encoder_queue import EncoderQueue, Predictor, Reading, placed
from serving.ranking.ranking_failures import Failures, reason_of_error
from serving.request_stages import EngineRequest, Place, Size

ORDERING_IS_OFF = "ordering_off"
"""The reason of a place that is everybody's."""

Finding = tuple[Place, Reading | None]
"""A place, and what may bring a better one."""


class PlaceFinder:
    """Finds the place of each request. All methods belong to one event loop."""

    def __init__(
        self, rankers: EngineRankers, queue_of: Mapping[str, EncoderQueue], corrections: Corrections | None = None
    ) -> None:
        """Nothing is corrected unless `corrections` are given."""
        self.corrections = corrections or Corrections(None)
        self._rankers = rankers
        self._queue_of = queue_of
        for name in queue_of:
            HELD_REQUESTS.labels(name).set(0)
            HOLD_SECONDS.labels(name)
            self.corrections.introduce(name)
        for tier in get_args(Tier):
            RANKING_SECONDS.labels(tier)
        self._failures_of = {name: queue.failures for name, queue in queue_of.items()} | {
            NO_RANKER: Failures(NO_RANKER)
        }

    @classmethod
    def start(cls, settings: Settings, rankers: EngineRankers, corrections: Corrections | None = None) -> Self:
        """With an encoder queue for each target LLM; `close` ends their threads."""
        queues = {
            target_llm: EncoderQueue(
                partial(rankers.ranker, target_llm),
                Failures(target_llm),
                limit_s=settings.ranking_backlog_ms / 1000,
                num_threads=settings.ranking_threads,
            )
            for target_llm in rankers.target_llms
        }
        return cls(rankers, queues, corrections)

    def target_llm(self, model: str | None) -> str:
        """Whose ranker reads the requests for a model, as metrics say it."""
        return self._rankers.target_of(model) or NO_RANKER

    def find_place(self, request: EngineRequest) -> Finding:
        """The place of a request that is known at once: the median's if there is no ranker or no text for it.

        While ordering is off every request gets the same place.
        """
        target_llm = self._rankers.target_of(request.model)
        if not self._rankers.is_ordered(target_llm):
            return Place(MIDDLE, ORDERING_IS_OFF), None
        if isinstance(request.view, UnrankableContent) and request.view.reason == TOO_LARGE:
            return Place(self._rankers.large_quantile(request.size), TOO_LARGE), None
        if target_llm is None or not self._rankers.has_ranker(target_llm):
            return Place(self._rankers.median_quantile(request.size), "no_ranker"), None
        queue = self._queue_of[target_llm]
        if isinstance(request.view, UnrankableContent):
            return _median(queue.ranker(), request.size, request.view.reason), None
        return _placed_at_once(queue, request.view, self._corrected(request, target_llm))

    def _corrected(self, request: EngineRequest, target_llm: str) -> Size:
        digest = self._queue_of[target_llm].ranker().name.digest
        return replace(request.size, correction=self.corrections.factor(target_llm, digest, request.origin))

    def note(self, target_llm: str, place: Place) -> None:
        """Count a request that goes on with a place that no tier has found, by the reason."""
        if place.reason not in (None, ORDERING_IS_OFF):
            self._failures_of[target_llm].note_fail_open(place.reason)

    def close(self) -> None:
        """Let the threads end; nothing is computed any more."""
        for queue in self._queue_of.values():
            queue.close()


def _placed_at_once(queue: EncoderQueue, view: RequestView, size: Size) -> Finding:
    ranker = queue.ranker()
    if (known := ranker.known(view, size)) is not None:
        return placed(known, "encoder", ranker.name, size), None
    try:
        place = _instant_place(ranker, queue.failures, view, size)
    except UnrankableContent as nothing:
        return _median(ranker, size, nothing.reason), None
    if not queue.is_hanging:
        return place or _median(ranker, size, "budget"), Reading(queue, view, size)
    queue.failures.note_tier("encoder", "hanging")
    return place or _median(ranker, size, "hanging"), None


def _instant_place(ranker: Predictor, failures: Failures, view: RequestView, size: Size) -> Place | None:
    """None if the ranker has no instant tier, or that fails."""
    if not ranker.has_instant:
        return None
    try:
        with RANKING_SECONDS.labels("instant").time():
            return placed(ranker.predict(view, size, "instant"), "instant", ranker.name, size)
    except UnrankableContent:
        raise
    except Exception as error:  # whatever it is, of ONNX Runtime too: there is the encoder
        failures.note_tier("instant", reason_of_error(error), error)
        return None


def _median(ranker: Predictor, size: Size, reason: str) -> Place:
    return Place(ranker.median_quantile(size), reason)
