"""Bodies of HTTP requests on their way to an ASGI application: limited in size, read whole, handed on."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def path_of(scope: Scope) -> str:
    """The route that a request names, without what the application is mounted under."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


class BodyTooLarge(HTTPException):
    """A 413. Its kind is the one that a FastAPI application lets through while it reads a body."""

    def __init__(self, num_bytes: int, max_bytes: int) -> None:
        super().__init__(
            413,
            f"A body holds at most {max_bytes} bytes, but this one has {num_bytes} or more; send less, or raise"
            " PARS_MAX_BODY_BYTES.",
        )


class ClientLeft(Exception):
    """The client went away before its body was complete."""


class BodyLimit:
    """Counts the bytes of one body."""

    def __init__(self, scope: Scope, max_bytes: int) -> None:
        """Check the length that the client announces.

        Raises:
            BodyTooLarge: it announces too much.
        """
        self._max_bytes = max_bytes
        self._num_bytes = 0
        announced = Headers(scope=scope).get("content-length", "")
        if re.fullmatch("[0-9]+", announced):  # anything else is the HTTP server's to refuse
            self._check(int(announced))

    def count(self, message: Message) -> None:
        """Count what has come.

        Raises:
            BodyTooLarge: that is too much, so the rest need not be read.
        """
        self._num_bytes += len(message.get("body", b""))
        self._check(self._num_bytes)

    def _check(self, num_bytes: int) -> None:
        if num_bytes > self._max_bytes:
            raise BodyTooLarge(num_bytes, self._max_bytes)


async def read_body(receive: Receive, limit: BodyLimit) -> bytes:
    """The whole body.

    Raises:
        BodyTooLarge: it is longer than the limit; the rest is not read.
        ClientLeft: it never became complete.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientLeft
        limit.count(message)
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


def replay(first: Message, receive: Receive) -> Receive:
    """Hand on a message that has been received already, then whatever comes (so that disconnects still arrive)."""
    pending = [first]

    async def receive_again() -> Message:
        return pending.pop() if pending else await receive()

    return receive_again


def error_answer(status: int, message: str) -> Response:
    """An error in the form of OpenAI's API."""
    kind = HTTPStatus(status).phrase
    return JSONResponse({"error": {"message": message, "type": kind, "code": status}}, status_code=status)
