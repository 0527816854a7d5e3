"""A thin ASGI layer around vLLM's application: it watches the body go by and leaves it in a context variable.

It changes nothing, but drops a header that nobody trusts: malformed JSON, authentication, disconnects and the size of
bodies stay vLLM's. Of a body that is larger than what is read for a ranking nothing is kept.
"""

from starlette.datastructures import Headers

from serving.arrival_clock import ArrivalClock
from serving.http.api_key import credential_of
from serving.http.bodies import ASGIApp, Message, Receive, Scope, Send, path_of
from serving.http.header_routes import without_priority
from serving.request_stages import HttpRequest, as_current


class ArrivalLayer:
    """Pure ASGI middleware that makes `current_http_request` work inside the application."""

    def __init__(self, app: ASGIApp, clock: ArrivalClock, trust_client_priority: bool, max_body_bytes: int) -> None:
        self._app = app
        self._clock = clock
        self._trust_client_priority = trust_client_priority
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Watch the body of one request go by."""
        if scope["type"] not in {"http", "websocket"}:
            return await self._app(scope, receive, send)
        if not self._trust_client_priority:
            scope = {**scope, "headers": without_priority(scope["headers"])}
        if scope["type"] == "websocket":  # each of its generations arrives when it starts, not with the connection
            return await self._app(scope, receive, send)
        request = HttpRequest(self._clock, path_of(scope), self._max_body_bytes)
        request.credential = credential_of(Headers(scope=scope))

        async def receive_and_see() -> Message:
            message = await receive()
            request.see(message)
            return message

        with as_current(request):
            return await self._app(scope, receive_and_see, send)
