"""The door before vLLM's application: it knows who is inside, and once closed it lets nobody in."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from starlette.routing import BaseRoute, Mount

from serving.http.bodies import ASGIApp, Receive, Scope, Send, WatchedSend, error_answer

SERVICE_RESTART = 1012
"""The websocket's word for 503."""
LAST_WORDS_S = 5.0
"""How long a request that is cut may take to say so; one that does not end is left behind."""


class Gate:
    """The ASGI application that is mounted; it forwards to vLLM's, which exists once the engine runs."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self._inside: set[asyncio.Task[Any]] = set()
        self._need_not_wait = asyncio.Event()
        """Set while nobody is inside, and once nobody is to be waited for."""
        self._need_not_wait.set()
        self._why_closed: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether requests are let in."""
        return self.app is not None and self._why_closed is None

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Those of the application behind it, which so are also those of whatever mounts this."""
        routes: Sequence[BaseRoute] = getattr(self.app, "routes", [])
        root_path: str = getattr(self.app, "root_path", "")
        return [*routes, Mount(root_path, routes=routes)] if root_path else routes

    def close(self, why: str) -> None:
        """Let nobody in any more; they get 503 with this sentence. Whoever is inside stays."""
        self._why_closed = why

    def hurry(self) -> None:
        """End the wait until a closed gate is empty as if its limit were over."""
        self._need_not_wait.set()

    async def wait_until_empty(self, limit_s: float) -> int:
        """Let those inside finish. After the limit the rest ends, in 503 if no answer has begun; returns how many."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._need_not_wait.wait(), limit_s)
        cut = list(self._inside)
        for task in cut:
            task.cancel()
        if cut:
            await asyncio.wait(cut, timeout=LAST_WORDS_S)
        return len(cut)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward one connection."""
        if self._why_closed is not None:
            return await _refuse(scope, receive, send, self._why_closed)
        assert self.app is not None, "BentoML sends nothing before on_startup has ended"
        task = asyncio.current_task()
        assert task is not None, "a server runs each request in a task"
        self._inside.add(task)
        self._need_not_wait.clear()
        try:
            await self._forward(self.app, scope, receive, send)
        finally:
            self._inside.discard(task)
            if not self._inside:
                self._need_not_wait.set()

    async def _forward(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        answer = WatchedSend(send)
        try:
            await app(scope, receive, answer)
        except asyncio.CancelledError:
            if answer.has_begun or self._why_closed is None:
                raise
            await _refuse(scope, receive, send, self._why_closed)


async def _refuse(scope: Scope, receive: Receive, send: Send, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": SERVICE_RESTART, "reason": why})
        return
    answer = error_answer(503, why)
    answer.headers.update({"retry-after": "5", "connection": "close"})
    await answer(scope, receive, send)
