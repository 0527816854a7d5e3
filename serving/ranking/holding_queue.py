"""Text to place in the queue, within two time budgets. No ranking problem fails a request: it goes on with the median.

The ranking budget limits how long a request is held while the engine has a free sequence; while the engine is full,
holding costs nothing and the backlog budget is the limit. What nobody waits for any more is not computed. While the
ranker hangs, or has more to rank than it can within the backlog budget, new requests are not held at all, so that
nothing piles up.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from registry.ranker import Prediction
from registry.request import UnrankableContent
from serving.metrics import FAIL_OPENS, HOLD_SECONDS, RANKING_SECONDS
from serving.ranking.load import EngineLoad
from serving.threads import DaemonThreads, Refusal

logger = logging.getLogger(__name__)

UNRANKABLE_BY_NATURE = frozenset({"empty", "image", "not_text", "no_text", "malformed", "unauthorised"})
"""Reasons that the client gave."""
OUR_REASONS = ("budget", "backlog", "hanging", "overloaded", "error", "not_finite")
"""The others, which are worth a log line, and an alert: their counters are there from the start."""
LOG_EVERY_S = 10.0


class Ranks(Protocol):
    """What is needed of a `registry.ranker.Ranker`."""

    def predict(self, prompt: str, cap_tokens: float | None = None) -> Prediction:
        """The prediction for one prompt."""

    def median_quantile(self, cap_tokens: float | None = None) -> float:
        """The place of a request that cannot be ranked."""


@dataclass(frozen=True)
class Place:
    """A place among all answers: 0 the shortest, 1 the longest; `reason` says why it is the median's, if it is."""

    quantile: float
    reason: str | None = None
    predicted_tokens: float | None = field(default=None, compare=False)


@dataclass(eq=False)
class Held:
    """A request that is held until its place is known."""

    text: str
    cap_tokens: float | None
    num_sequences: int
    place: asyncio.Future[Place]
    job: Future[Prediction] | None = None


class Ranking:
    """Finds the place of each request in worker threads. All methods belong to one event loop."""

    def __init__(
        self,
        ranker: Callable[[], Ranks],
        load: EngineLoad,
        budget_s: float = 0.05,
        backlog_s: float = 2.0,
        num_threads: int = 1,
    ) -> None:
        """`ranker` is asked at each use, so that a swap needs no word here."""
        self._ranker = ranker
        self._load = load
        self.budget_s = budget_s
        self.backlog_s = backlog_s
        self._num_threads = num_threads
        self._threads = DaemonThreads(num_threads, "ranking")
        self._num_held = 0
        self._ranks_with: Ranks | None = None
        self._overdue: dict[Held, None] = {}
        self._logged_at_s: dict[str, float] = {}
        load.call_on_leave(self._release_overdue)
        for reason in OUR_REASONS:
            FAIL_OPENS.labels(reason)

    async def find_place(self, text: str, cap_tokens: float | None, num_sequences: int = 1) -> Place:
        """Hold a request until it is ranked, or has waited long enough; not at all if it can't be ranked in time.

        On return the request is counted in the engine's load (the caller counts it out); if cancelled, it is not.
        """
        refusal = self._refusal()
        if refusal is not None:
            return self.median(refusal, cap_tokens, num_sequences)
        loop = asyncio.get_running_loop()
        held = Held(text, cap_tokens, num_sequences, loop.create_future())
        self._submit(held)
        timers = [
            loop.call_later(self.budget_s, self._budget_is_over, held),
            loop.call_later(self.backlog_s, self._time_is_up, held, "backlog"),
        ]
        started_s = time.perf_counter()
        self._num_held += 1
        try:
            return await held.place
        except asyncio.CancelledError:
            if not held.place.cancelled():
                self._load.leave(num_sequences)
            raise
        finally:
            self._num_held -= 1
            HOLD_SECONDS.observe(time.perf_counter() - started_s)
            for timer in timers:
                timer.cancel()
            self._forget(held)

    def median(self, reason: str, cap_tokens: float | None, num_sequences: int = 1) -> Place:
        """The place of a request that is not ranked; it is counted in the engine's load and by its reason."""
        self._load.enter(num_sequences)
        self._count(reason)
        return Place(self._ranker().median_quantile(cap_tokens), reason)

    def close(self) -> None:
        """Let the threads end; nothing is computed any more."""
        self._threads.close()

    def _refusal(self) -> Refusal | None:
        refusal = self._threads.refusal(self._num_held, self.backlog_s)
        if refusal == "hanging" and self._ranks_with != self._ranker():  # a swap cures what only the old one had
            self._threads.close()
            self._threads = DaemonThreads(self._num_threads, "ranking")
            return None
        return refusal

    def _submit(self, held: Held) -> None:
        # At once, though it may be cancelled: a thread that asks a busy event loop for its next prompt idles meanwhile.
        held.job = self._threads.submit(self._rank, held)
        held.job.add_done_callback(partial(_call_in, held.place.get_loop(), self._job_is_done, held))

    def _rank(self, held: Held) -> Prediction:
        self._ranks_with = ranker = self._ranker()
        with RANKING_SECONDS.time():
            return ranker.predict(held.text, held.cap_tokens)

    def _job_is_done(self, held: Held, job: Future[Prediction]) -> None:
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

    def _budget_is_over(self, held: Held) -> None:
        if held.place.done():
            return
        self._overdue[held] = None
        self._release_overdue()

    def _release_overdue(self) -> None:
        """No more requests fail open than the engine has free sequences; for the others holding costs nothing."""
        while self._overdue and self._load.num_free > 0:
            held = next(iter(self._overdue))
            del self._overdue[held]  # here, since a request that was cancelled just now has no place to be found
            self._time_is_up(held, "budget")

    def _time_is_up(self, held: Held, reason: str) -> None:
        """A busy event loop hears of a prediction late, maybe after this: it takes the one that is there by now."""
        if held.job is not None and held.job.done() and not held.job.cancelled():
            self._job_is_done(held, held.job)
        else:
            self._fail_open(held, reason)

    def _fail_open(self, held: Held, reason: str, error: BaseException | None = None) -> None:
        if held.place.done():
            return
        self._count(reason, error)
        self._settle(held, Place(self._ranker().median_quantile(held.cap_tokens), reason))

    def _settle(self, held: Held, place: Place) -> None:
        held.place.set_result(place)
        self._load.enter(held.num_sequences)
        self._forget(held)

    def _forget(self, held: Held) -> None:
        self._overdue.pop(held, None)
        if held.job is not None:
            held.job.cancel()

    def _count(self, reason: str, error: BaseException | None = None) -> None:
        FAIL_OPENS.labels(reason).inc()
        now_s = time.monotonic()
        if reason in UNRANKABLE_BY_NATURE or now_s - self._logged_at_s.get(reason, -LOG_EVERY_S) < LOG_EVERY_S:
            return
        self._logged_at_s[reason] = now_s
        detail = type(error).__name__ if error else "out of time"  # an exception's words could quote the prompt
        logger.warning("A request takes the median's place, because its ranking failed: %s (%s).", reason, detail)


def _call_in(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *args: object) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody waits
        loop.call_soon_threadsafe(callback, *args)
