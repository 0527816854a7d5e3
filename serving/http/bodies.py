"""Bodies of HTTP requests on their way to an ASGI application: read up to a limit, handed on."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

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


class WatchedSend:
    """ASGI's `send`, which knows whether the answer has begun: then no other one can be given in its place."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        """Send one message of the answer."""
        self.has_begun = True
        await self._send(message)


class ClientLeft(Exception):
    """The client went away before its body was complete."""


@dataclass(frozen=True)
class ReadBody:
    """A body as far as it was read before the application asks for it."""

    raw: bytes
    is_complete: bool
    is_too_large: bool

    @property
    def message(self) -> Message:
        """It as a message to the application; what isn't here yet is still to be received."""
        return {"type": "http.request", "body": self.raw, "more_body": not self.is_complete}


async def read_body(scope: Scope, receive: Receive, max_bytes: int) -> ReadBody:
    """Read the whole body; of one longer than `max_bytes` until that shows: at once, if the client announces it.

    Raises:
        ClientLeft: it never became complete.
    """
    announced = Headers(scope=scope).get("content-length", "")
    if re.fullmatch("[0-9]{1,18}", announced) and int(announced) > max_bytes:  # what is no length, HTTP servers refuse
        return ReadBody(b"", is_complete=False, is_too_large=True)
    raw, is_complete = bytearray(), False
    while not is_complete and len(raw) <= max_bytes:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientLeft
        raw += message.get("body", b"")
        is_complete = not message.get("more_body", False)
    return ReadBody(bytes(raw), is_complete, is_too_large=len(raw) > max_bytes)


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
