"""A request that vLLM fails over before the engine has seen anything of it is the client's: a 400, and a warning.

vLLM 0.32 checks most of a body, and answers 400. Where it forgets a check, some line of its own raises, and it answers
500 (or 501). As long as the engine lives and was not asked, that is the body's fault. The log names the line.
"""

import logging
import traceback
from collections.abc import Callable
from typing import Any

from serving.http.bodies import ASGIApp, Message, Receive, Scope, Send, error_answer
from serving.metrics import UNREADABLE_REQUESTS
from serving.request_stages import HTTP_REQUEST

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
MANAGING = frozenset(
    {"/v1/load_lora_adapter", "/v1/unload_lora_adapter", "/scale_elastic_ep", "/is_scaling_elastic_ep"}
)
"""Routes that change the server: a 500 that they answer is about the server, and the operator needs its reason."""
MESSAGE = "The request is not one that this server can read (%s): check its fields against /openapi.json."


class BodyFaultLayer:
    """Pure ASGI middleware, inside of `serving.http.arrival_layer.ArrivalLayer`."""

    def __init__(self, app: ASGIApp, is_engine_alive: Callable[[], bool]) -> None:
        self._app = app
        self._is_engine_alive = is_engine_alive

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; a failure over its body becomes a 400."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self._app(scope, receive, send)
        answer = _Answer(send, lambda: self._may_be_the_bodys_fault() and scope["path"] not in MANAGING)
        try:
            await self._app(scope, receive, answer.send)
        except RAISED_OVER_BODIES as error:
            if answer.is_started or not self._may_be_the_bodys_fault():
                raise
            answer.failure = _place_of(error)
        if answer.failure is None:
            return None
        UNREADABLE_REQUESTS.inc()
        logger.warning("vLLM could not read a request to %s: %s.", scope["path"], answer.failure)
        return await error_answer(400, MESSAGE % answer.failure.partition(" ")[0])(scope, receive, send)

    def _may_be_the_bodys_fault(self) -> bool:
        request = HTTP_REQUEST.get()
        return self._is_engine_alive() and not (request is not None and request.has_reached_the_engine)


class _Answer:
    """Holds back an answer that says that the server failed over a body."""

    def __init__(self, send: Send, may_hold_back: Callable[[], bool]) -> None:
        self._send = send
        self._may_hold_back = may_hold_back
        self.is_started = False
        self.failure: str | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_failure(message) and self._may_hold_back():
            self.failure = f"{message['status']} answered"
        if self.failure is None:
            self.is_started = True
            await self._send(message)


def _is_failure(message: Message) -> bool:
    return message["status"] in (500, 501)


def _place_of(error: Any) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]  # an exception's words could quote the prompt
    return f"{type(error).__name__} in {last.filename}, line {last.lineno}"
