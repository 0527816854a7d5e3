"""Daemon threads for work that may hang: they know when they do, and never keep the process from stopping.

Python's own `ThreadPoolExecutor` joins its threads when the process ends; one that hangs would be waited for for ever.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import count
from operator import methodcaller
from threading import Condition, Thread, get_ident
from time import monotonic
from typing import Any, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Job = tuple[Future[Any], Callable[[], Any]]
QueuedJob = tuple[int, int, Job | None]
"""Its rank, its number, and the job; None ends a thread."""

LEAST_SWEPT = 256
MOST_LEFT_BEHIND = 3
"""How many threads may hang at calls that nobody waits for any more."""


class DaemonThreads:
    """Works off a queue of jobs: the most urgent first, of equally urgent ones the first in. Safe from any thread."""

    def __init__(self, num_threads: int, name: str) -> None:
        self._num_threads = num_threads
        self._jobs: list[QueuedJob] = []
        """A heap; `_has_jobs` guards it."""
        self._has_jobs = Condition()
        self._numbers = count()
        self._sweep_at = LEAST_SWEPT
        self._started_s: dict[int, float] = {}
        for index in range(num_threads):
            Thread(target=self._work, name=f"{name}-{index}", daemon=True).start()

    def submit(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        """Put a call into the queue. A future that is cancelled before its turn is not computed."""
        return self.submit_urgent(0, partial(function, *args, **kwargs))

    def submit_urgent(self, rank: int, call: Callable[[], Result]) -> Future[Result]:
        """The same; calls of a lower rank come first, whenever they were put in."""
        future: Future[Result] = Future()
        self._put(rank, (future, call))
        return future

    def is_hanging(self, limit_s: float) -> bool:
        """Whether every thread has been at its job for longer than that."""
        started_s = list(self._started_s.values())
        return len(started_s) == self._num_threads and monotonic() - max(started_s) > limit_s

    def close(self) -> None:
        """Cancel what waits and let the idle threads end; one that hangs is left behind."""
        with self._has_jobs:
            waiting, self._jobs = self._jobs, []
        for *_, job in waiting:
            if job is not None:
                job[0].cancel()
        for _ in range(self._num_threads):
            self._put(0, None)

    def _put(self, rank: int, job: Job | None) -> None:
        with self._has_jobs:
            if len(self._jobs) >= self._sweep_at:
                self._sweep()
            heappush(self._jobs, (rank, next(self._numbers), job))  # numbers differ, so jobs are never compared
            self._has_jobs.notify()

    def _sweep(self) -> None:
        """Drop what was cancelled: while more urgent calls keep coming, its turn never does."""
        self._jobs = [one for one in self._jobs if one[-1] is None or not one[-1][0].cancelled()]
        heapify(self._jobs)
        self._sweep_at = max(2 * len(self._jobs), LEAST_SWEPT)

    def _take(self) -> Job | None:
        with self._has_jobs:
            while not self._jobs:
                self._has_jobs.wait()
            return heappop(self._jobs)[-1]

    def _work(self) -> None:
        while (job := self._take()) is not None:
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
            del self._started_s[thread]


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
