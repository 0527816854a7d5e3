"""Daemon threads for work that may hang: they know when they do, and never keep the process from stopping.

Python's own `ThreadPoolExecutor` joins its threads when the process ends; one that hangs would be waited for for ever.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from queue import Empty, SimpleQueue
from statistics import median
from threading import Thread, get_ident
from time import monotonic
from typing import Any, Literal, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Job = tuple[Future[Any], Callable[[], Any]]
Refusal = Literal["hanging", "overloaded"]

NUM_RECENT_JOBS = 32


class DaemonThreads:
    """Works off a queue of jobs, first in, first out. All methods may be called from any thread."""

    def __init__(self, num_threads: int, name: str) -> None:
        self._num_threads = num_threads
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._started_s: dict[int, float] = {}
        self._recent_s: deque[float] = deque(maxlen=NUM_RECENT_JOBS)
        for index in range(num_threads):
            Thread(target=self._work, name=f"{name}-{index}", daemon=True).start()

    def submit(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        """Put a call into the queue. A future that is cancelled before its turn is not computed."""
        future: Future[Result] = Future()
        self._jobs.put((future, partial(function, *args, **kwargs)))
        return future

    def refusal(self, num_ahead: int, limit_s: float) -> Refusal | None:
        """Why one more job behind `num_ahead` others could not be done within `limit_s`; None if it could.

        `hanging`: every thread has been at its job for longer than that. `overloaded`: at the pace of the last jobs
        (their median, so that a single slow one does not count) those ahead take longer than that.
        """
        started_s = list(self._started_s.values())
        if len(started_s) == self._num_threads and monotonic() - max(started_s) > limit_s:
            return "hanging"
        return "overloaded" if num_ahead * self._seconds_per_job / self._num_threads > limit_s else None

    def close(self) -> None:
        """Cancel what waits and let the idle threads end; one that hangs is left behind."""
        with suppress(Empty):
            while (job := self._jobs.get_nowait()) is not None:
                job[0].cancel()
        for _ in range(self._num_threads):
            self._jobs.put(None)

    @property
    def _seconds_per_job(self) -> float:
        recent_s = list(self._recent_s)
        return median(recent_s) if recent_s else 0.0

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._do(*job)
            del job  # it holds a text, and the next one may be long in coming

    def _do(self, future: Future[Any], call: Callable[[], Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            with self._timed():
                result = call()
        except BaseException as error:  # whoever waits for the future gets it
            future.set_exception(error)
        else:
            future.set_result(result)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        thread = get_ident()
        self._started_s[thread] = monotonic()
        try:
            yield
        finally:
            self._recent_s.append(monotonic() - self._started_s.pop(thread))
