"""A request that vLLM fails over before the engine has seen anything of it is the client's: a 400, and a warning.

vLLM 0.32 checks most of a body, and answers 400. Where it forgets a check, some line of its own raises, and it answers
500 (or 501). But nothing can be wrong with an engine that was not asked, so it was the body. The log names the line.
"""

import logging
import traceback
from typing import Any

from serving.bodies import ASGIApp, Message, Receive, Scope, Send, error_answer
from serving.incoming import INCOMING
from serving.metrics import UNREADABLE_REQUESTS

logger = logging.getLogger(__name__)

RAISED_OVER_BODIES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)
"""Not among them: what a machine in trouble raises, as `OSError`, `MemoryError` or any other `RuntimeError`."""
MESSAGE = "The request is not one that this server can read (%s): check its fields against /openapi.json."


class UnreadableLayer:
    """Pure ASGI middleware, inside of `serving.incoming.IncomingLayer`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; a failure over its body becomes a 400."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        answer = _Answer(send)
        try:
            await self._app(scope, receive, answer.send)
        except RAISED_OVER_BODIES as error:
            if answer.is_started or _has_reached_the_engine():
                raise
            answer.failure = _place_of(error)
        if answer.failure is None:
            return None
        UNREADABLE_REQUESTS.inc()
        logger.warning("vLLM could not read a request to %s: %s.", scope["path"], answer.failure)
        return await error_answer(400, MESSAGE % answer.failure.partition(" ")[0])(scope, receive, send)


class _Answer:
    """Holds back an answer that says that the server failed over a body."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.is_started = False
        self.failure: str | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_failure(message) and not _has_reached_the_engine():
            self.failure = f"{message['status']} answered"
        if self.failure is None:
            self.is_started = True
            await self._send(message)


def _is_failure(message: Message) -> bool:
    return message["status"] in (500, 501)


def _has_reached_the_engine() -> bool:
    incoming = INCOMING.get()
    return incoming is not None and incoming.has_reached_the_engine


def _place_of(error: Any) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]  # an exception's words could quote the prompt
    return f"{type(error).__name__} in {last.filename}, line {last.lineno}"
