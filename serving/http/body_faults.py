"""A body of a generating route that vLLM fails over while it reads it is the client's fault: a 400, and a warning.

vLLM 0.32 checks most of a body, and answers 400. Where it forgets a check, some line of its own raises, and it would
answer 500. As long as the engine lives and was not asked, that is the body's fault. The log names the line. Whatever
vLLM itself answers stays as it is, and so does what fails later or on another route: those 5xx are about the server.
"""

import logging
import traceback
from collections.abc import Callable

from serving.api_bodies import RANKABLE_PATHS
from serving.http.bodies import ASGIApp, Receive, Scope, Send, WatchedSend, error_answer, path_of
from serving.metrics import UNREADABLE_REQUESTS
from serving.request_stages import HTTP_REQUEST

logger = logging.getLogger(__name__)

GENERATING = frozenset({*RANKABLE_PATHS, "/inference/v1/generate", "/generative_scoring"})
RAISED_OVER_BODIES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""Not among them: what a machine in trouble raises, as `OSError`, `MemoryError` or any other `RuntimeError`."""
READERS = frozenset({"json", "pydantic"})
"""The libraries through which vLLM reads and checks bodies."""
MESSAGE = "The request is not one that this server can read (%s): check its fields against /openapi.json."


class BodyFaultLayer:
    """Pure ASGI middleware, inside of `serving.http.arrival_layer.ArrivalLayer`."""

    def __init__(self, app: ASGIApp, is_engine_alive: Callable[[], bool]) -> None:
        self._app = app
        self._is_engine_alive = is_engine_alive

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; a failure over its body becomes a 400."""
        path = path_of(scope) if scope["type"] == "http" else ""
        if path not in GENERATING:
            return await self._app(scope, receive, send)
        answer = WatchedSend(send)
        try:
            return await self._app(scope, receive, answer)
        except RAISED_OVER_BODIES as error:
            if answer.has_begun or not (_is_reading(error) and self._engine_was_not_asked()):
                raise
            place = _place_of(error)
        UNREADABLE_REQUESTS.inc()
        logger.warning("vLLM could not read a request to %s: %s.", path, place)
        return await error_answer(400, MESSAGE % place.partition(" ")[0])(scope, receive, send)

    def _engine_was_not_asked(self) -> bool:
        request = HTTP_REQUEST.get()
        return self._is_engine_alive() and not (request is not None and request.has_reached_the_engine)


def _is_reading(error: Exception) -> bool:
    """Whether a body was being parsed or checked; else it may be a plugin, a template or the server that fails."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(frame.f_globals.get("__name__", "").partition(".")[0] in READERS for frame in frames)


def _place_of(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]  # an exception's words could quote the prompt
    return f"{type(error).__name__} in {last.filename}, line {last.lineno}"
