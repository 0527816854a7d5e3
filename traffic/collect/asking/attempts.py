"""How a request is tried again: exponential waits with jitter, not before a server wants it, for a limited time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import httpx
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_before_delay,
    wait_exponential,
    wait_random,
)

from traffic.collect.asking.refusals import NotAnswered, Passing

FIRST_WAIT_S, LONGEST_WAIT_S, JITTER_S = 0.5, 60.0, 0.5


class Attempts:
    """The attempts of all requests. Where one is told to wait (`Retry-After`), none is sent before that is over."""

    def __init__(self, for_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._retrying = AsyncRetrying(
            retry=retry_if_exception_type(Passing),
            stop=stop_before_delay(for_s),
            wait=_wait_s,
            sleep=self._pause,
            reraise=True,
        )
        self._for_s = for_s
        self._clock = clock
        self._closed_until_s = clock()
        self._has_ended = asyncio.Event()

    def end(self) -> None:
        """From now on nothing is tried again: nobody waits for it any more."""
        self._has_ended.set()

    async def __call__(self, ask: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """What the request brings at last.

        Raises:
            NotAnswered: nothing, for now or for good.
        """

        async def attempt() -> dict[str, Any]:
            await self._wait_for_turn()
            try:
                return await ask()
            except Passing as error:
                self._closed_until_s = max(self._closed_until_s, self._clock() + error.retry_after_s)
                raise
            except (httpx.RequestError, OSError, ValueError) as error:  # cut off, or an answer that is no JSON
                raise Passing(type(error).__name__) from error

        return await self._retrying(attempt)

    async def _wait_for_turn(self) -> None:
        while (wait_s := self._closed_until_s - self._clock()) > 0:
            if wait_s > self._for_s:
                raise NotAnswered(f"told to wait for {wait_s:.0f} s, which is longer than retry_s")
            await self._pause(wait_s)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._has_ended.wait(), seconds)
            raise NotAnswered("stopped before it was tried again")


_backoff = wait_exponential(FIRST_WAIT_S, LONGEST_WAIT_S) + wait_random(0, JITTER_S)


def _wait_s(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked_for_s = error.retry_after_s if isinstance(error, Passing) else 0.0
    return max(asked_for_s, _backoff(state))
