"""Daemon threads for work that may hang: they know when they do, and never keep the process from stopping.

Python's own `ThreadPoolExecutor` joins its threads when the process ends; one that hangs would be waited for for ever.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from operator import methodcaller
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
MOST_LEFT_BEHIND = 3
"""How many threads may hang at calls that nobody waits for any more."""


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
        if future.set_running_or_notify_cancel():
            with self._timed():
                outcome = _outcome(call)
            outcome(future)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        thread = get_ident()
        self._started_s[thread] = monotonic()
        try:
            yield
        finally:
            self._recent_s.append(monotonic() - self._started_s.pop(thread))


class TimedCalls:
    """Calls that may hang, each with a time limit and in a thread of its own. All methods belong to one event loop."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._left_behind: list[Future[Any]] = []

    async def call(
        self,
        limit_s: float,
        function: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """What the function returns. One that takes longer is left behind, and what it says then is not heard.

        Raises:
            TimeoutError: it has not come back, or too many earlier ones have not.
        """
        self._left_behind = [one for one in self._left_behind if not one.done()]
        if len(self._left_behind) >= MOST_LEFT_BEHIND:
            raise TimeoutError(f"{len(self._left_behind)} earlier calls have not come back")
        future: Future[Result] = Future()
        Thread(target=_do, args=(future, partial(function, *args, **kwargs)), name=self._name, daemon=True).start()
        await _wait_for(future, limit_s)
        if not future.done():
            self._left_behind.append(future)
            raise TimeoutError(f"no answer after {limit_s:g} s")
        return future.result()


async def _wait_for(future: Future[Any], limit_s: float) -> None:
    waiter = asyncio.wrap_future(future)
    try:
        await asyncio.wait({waiter}, timeout=limit_s)
    finally:
        waiter.cancel()  # nobody is told of an exception that comes later


def _do(future: Future[Any], call: Callable[[], Any]) -> None:
    if future.set_running_or_notify_cancel():
        _outcome(call)(future)


def _outcome(call: Callable[[], Any]) -> Callable[[Future[Any]], None]:
    """Make the call; what is to be done with the future of whoever waits for it."""
    try:
        result = call()
    except BaseException as error:  # whoever waits for the future gets it
        return methodcaller("set_exception", error)
    return methodcaller("set_result", result)
