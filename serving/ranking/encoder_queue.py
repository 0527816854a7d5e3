"""The threads in which the encoder of one target LLM reads the requests that are held."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Protocol

from registry.ranker import Prediction, Tier
from registry.request import UnrankableContent
from registry.request_features import RequestView
from serving.metrics import RANKING_SECONDS
from serving.ranking.ranking_failures import Failures, reason_of_error
from serving.request_stages import ANY_SIZE, Place, RankerName, Size
from serving.threads import DaemonThreads


class Predictor(Protocol):
    """What is needed of a ranker here (`serving.champion.served_rankers.ServedRanker`)."""

    @property
    def name(self) -> RankerName:
        """What it is called where its predictions are written down."""

    @property
    def has_instant(self) -> bool:
        """Whether it has an instant tier that may be used."""

    def predict(self, request: RequestView, size: Size = ANY_SIZE, tier: Tier = "encoder") -> Prediction:
        """The prediction for one request."""

    def known(self, request: RequestView, size: Size = ANY_SIZE) -> Prediction | None:
        """The encoder's prediction, if it has read the same lately."""

    def median_quantile(self, size: Size = ANY_SIZE) -> float:
        """The place of a request that cannot be ranked."""


class EncoderQueue:
    """Reads requests one after the other, that of the smallest priority first. All methods belong to one event loop.

    By priority and not by arrival: who would be let go first shall be known best first, and what the engine takes next
    is then never a long request only because it came before the short ones that are held behind it.
    """

    def __init__(
        self, ranker: Callable[[], Predictor], failures: Failures, *, limit_s: float, num_threads: int
    ) -> None:
        """`ranker` is asked at each use, so that a swap needs no word here; one request in `limit_s` is hanging."""
        self.ranker = ranker
        self.failures = failures
        self._limit_s = limit_s
        self._num_threads = num_threads
        self._threads = DaemonThreads(num_threads, "ranking")
        self._reads_with: Predictor | None = None

    @property
    def is_hanging(self) -> bool:
        """Whether nothing can be expected of it. A swap of the ranker cures what only the old one had."""
        if not self._threads.is_hanging(self._limit_s):
            return False
        if self._reads_with == self.ranker():
            return True
        self._threads.close()
        self._threads = DaemonThreads(self._num_threads, "ranking")
        return False

    def submit(self, view: RequestView, size: Size, priority: int) -> Future[Place]:
        """Let a request be read when its turn comes; the place that it then has."""
        return self._threads.submit_urgent(priority, partial(self._read, view, size))

    def close(self) -> None:
        """Let the threads end; nothing is read any more."""
        self._threads.close()

    def _read(self, view: RequestView, size: Size) -> Place:
        self._reads_with = ranker = self.ranker()
        with RANKING_SECONDS.labels("encoder").time():
            return placed(ranker.predict(view, size), "encoder", ranker.name, size)


class Reading:
    """What the encoder reads of a request if that is held, and what has come of it."""

    def __init__(self, queue: EncoderQueue, view: RequestView, size: Size) -> None:
        self._queue, self._view, self._size = queue, view, size
        self._job: Future[Place] | None = None

    def begin(self, priority: int, tell: Callable[[], None]) -> None:
        """Put it into the queue; `tell` is called in this event loop once there is something to know."""
        # At once, though it may be cancelled: a thread that asks a busy event loop for its next one idles meanwhile.
        self._job = self._queue.submit(self._view, self._size, priority)
        self._job.add_done_callback(partial(_call_in, asyncio.get_running_loop(), tell))

    @property
    def is_over(self) -> bool:
        """Whether it was read, or could not be."""
        return self._job is not None and self._job.done() and not self._job.cancelled()

    def end(self) -> None:
        """Nobody waits for it any more: what has not begun is not computed."""
        if self._job is not None:
            self._job.cancel()

    def better_than(self, place: Place) -> Place:
        """The encoder's place once it is over; the given one if it failed; why there is none, if there is neither."""
        assert self._job is not None
        error = self._job.exception()
        if error is None:
            return replace(self._job.result(), instant_tokens=place.instant_tokens)
        if isinstance(error, UnrankableContent):
            return self._or_median(place, error.reason)
        self._queue.failures.note_tier("encoder", reason_of_error(error), error)
        return self._or_median(place, reason_of_error(error))

    def _or_median(self, place: Place, reason: str) -> Place:
        return place if place.tier else Place(self._queue.ranker().median_quantile(self._size), reason)


def placed(prediction: Prediction, tier: Tier, ranker: RankerName, size: Size = ANY_SIZE) -> Place:
    """The place that a tier of a ranker gives a request of this size."""
    tokens = prediction.predicted_tokens
    return Place(
        prediction.quantile,
        predicted_tokens=tokens,
        tier=tier,
        work_s=prediction.work_s,
        instant_tokens=tokens if tier == "instant" else None,
        correction=size.correction,
        ranker=ranker,
    )


def _call_in(loop: asyncio.AbstractEventLoop, callback: Callable[[], None], _: object) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody waits
        loop.call_soon_threadsafe(callback)
