"""Text to place in the queue, within two time budgets. No ranking problem fails a request: it goes on with the median.

The ranking budget limits how long a request is held while the engine could take it; while requests wait in vLLM's own
scheduler, holding costs nothing and the backlog budget is the limit. What nobody waits for any more is not computed.
While the ranker hangs, or has more to rank than it can within the backlog budget, new requests are not held at all, so
that nothing piles up.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from registry.ranker import Prediction
from registry.request import UnrankableContent
from serving.metrics import FAIL_OPENS, HELD_REQUESTS, HOLD_SECONDS, RANKING_SECONDS
from serving.ranking.load import EngineLoad, Seat
from serving.request_stages import ANY_SIZE, Place, Size
from serving.threads import DaemonThreads, Refusal

logger = logging.getLogger(__name__)

UNRANKABLE_BY_NATURE = frozenset({"empty", "image", "not_text", "no_text", "malformed", "unauthorised"})
"""Reasons that the client gave."""
OUR_REASONS = ("budget", "backlog", "hanging", "overloaded", "error", "not_finite")
"""The others, which are worth a log line, and an alert: their counters are there from the start."""
LOG_EVERY_S = 10.0


class Predictor(Protocol):
    """What is needed of a `registry.ranker.Ranker`."""

    def predict(self, prompt: str, size: Size = ANY_SIZE) -> Prediction:
        """The prediction for one prompt."""

    def median_quantile(self, size: Size = ANY_SIZE) -> float:
        """The place of a request that cannot be ranked."""


@dataclass(eq=False)
class HeldRequest:
    """A request that is held until its place is known."""

    text: str
    size: Size
    seat: Seat
    place: asyncio.Future[Place]
    job: Future[Prediction] | None = None


class HoldingQueue:
    """Holds each request while worker threads find its place. All methods belong to one event loop."""

    def __init__(
        self,
        ranker: Callable[[], Predictor],
        load: EngineLoad,
        *,
        target_llm: str,
        budget_s: float,
        backlog_s: float,
        num_threads: int,
    ) -> None:
        """`ranker` is asked at each use, so that a swap needs no word here; it is `target_llm`'s."""
        self._ranker = ranker
        self._target_llm = target_llm
        self._load = load
        self.budget_s = budget_s
        self.backlog_s = backlog_s
        self._num_threads = num_threads
        self._threads = DaemonThreads(num_threads, "ranking")
        self._num_held = 0
        self._ranks_with: Predictor | None = None
        self._overdue: dict[HeldRequest, None] = {}
        self._logged_at_s: dict[str, float] = {}
        load.call_on_room(self._release_overdue)
        self._count_held(0)
        for reason in OUR_REASONS:
            FAIL_OPENS.labels(reason, target_llm)

    async def find_place(self, text: str, size: Size, seat: Seat) -> Place:
        """Hold a request until it is ranked, or has waited long enough; not at all if it can't be ranked in time.

        The moment at which it is let go its seat is taken; whoever called leaves it.
        """
        refusal = self._refusal()
        if refusal is not None:
            return self.median(refusal, size)
        held = HeldRequest(text, size, seat, asyncio.get_running_loop().create_future())
        self._submit(held)
        with self._timed(held):
            return await held.place

    def median(self, reason: str, size: Size) -> Place:
        """The place of a request that is not ranked; it is counted by its reason."""
        self._count(reason)
        return Place(self._ranker().median_quantile(size), reason)

    def close(self) -> None:
        """Let the threads end; nothing is computed any more."""
        self._threads.close()

    @contextmanager
    def _timed(self, held: HeldRequest) -> Iterator[None]:
        """While a request is held it counts, and both budgets run."""
        loop = held.place.get_loop()
        timers = [
            loop.call_later(self.budget_s, self._budget_is_over, held),
            loop.call_later(self.backlog_s, self._time_is_up, held, "backlog"),
        ]
        started_s = time.perf_counter()
        self._count_held(1)
        try:
            yield
        finally:
            self._count_held(-1)
            HOLD_SECONDS.labels(self._target_llm).observe(time.perf_counter() - started_s)
            for timer in timers:
                timer.cancel()
            self._forget(held)

    def _count_held(self, change: int) -> None:
        self._num_held += change
        HELD_REQUESTS.labels(self._target_llm).set(self._num_held)

    def _refusal(self) -> Refusal | None:
        refusal = self._threads.refusal(self._num_held, self.backlog_s)
        if refusal == "hanging" and self._ranks_with != self._ranker():  # a swap cures what only the old one had
            self._threads.close()
            self._threads = DaemonThreads(self._num_threads, "ranking")
            return None
        return refusal

    def _submit(self, held: HeldRequest) -> None:
        # At once, though it may be cancelled: a thread that asks a busy event loop for its next prompt idles meanwhile.
        held.job = self._threads.submit(self._rank, held)
        held.job.add_done_callback(partial(_call_in, held.place.get_loop(), self._job_is_done, held))

    def _rank(self, held: HeldRequest) -> Prediction:
        self._ranks_with = ranker = self._ranker()
        with RANKING_SECONDS.time():
            return ranker.predict(held.text, held.size)

    def _job_is_done(self, held: HeldRequest, job: Future[Prediction]) -> None:
        if job.cancelled() or held.place.done():
            return
        error = job.exception()
        if error is None:
            prediction = job.result()
            self._settle(held, Place(prediction.quantile, predicted_tokens=prediction.predicted_tokens))
        elif isinstance(error, UnrankableContent):
            self._fail_open(held, error.reason)
        else:
            self._fail_open(held, "not_finite" if isinstance(error, FloatingPointError) else "error", error)

    def _budget_is_over(self, held: HeldRequest) -> None:
        if held.place.done():
            return
        self._overdue[held] = None
        self._release_overdue()

    def _release_overdue(self) -> None:
        """No more requests fail open than the engine could take; for the others holding costs nothing."""
        while self._overdue and self._load.room > 0:
            held = next(iter(self._overdue))
            del self._overdue[held]  # here, since a request that was cancelled just now has no place to be found
            self._time_is_up(held, "budget")

    def _time_is_up(self, held: HeldRequest, reason: str) -> None:
        """A busy event loop hears of a prediction late, maybe after this: it takes the one that is there by now."""
        if held.job is not None and held.job.done() and not held.job.cancelled():
            self._job_is_done(held, held.job)
        else:
            self._fail_open(held, reason)

    def _fail_open(self, held: HeldRequest, reason: str, error: BaseException | None = None) -> None:
        if held.place.done():
            return
        self._count(reason, error)
        self._settle(held, Place(self._ranker().median_quantile(held.size), reason))

    def _settle(self, held: HeldRequest, place: Place) -> None:
        held.place.set_result(place)
        held.seat.take()
        self._forget(held)

    def _forget(self, held: HeldRequest) -> None:
        self._overdue.pop(held, None)
        if held.job is not None:
            held.job.cancel()

    def _count(self, reason: str, error: BaseException | None = None) -> None:
        FAIL_OPENS.labels(reason, self._target_llm).inc()
        now_s = time.monotonic()
        if reason in UNRANKABLE_BY_NATURE or now_s - self._logged_at_s.get(reason, -LOG_EVERY_S) < LOG_EVERY_S:
            return
        self._logged_at_s[reason] = now_s
        detail = type(error).__name__ if error else "out of time"  # an exception's words could quote the prompt
        logger.warning("A request takes the median's place, because its ranking failed: %s (%s).", reason, detail)


def _call_in(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *args: object) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody waits
        loop.call_soon_threadsafe(callback, *args)
