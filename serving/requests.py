"""What is known of the HTTP request that an engine request comes from: when it arrived, and what the user wrote.

A thin ASGI layer around vLLM's application watches the body go by and leaves it in a context variable. It changes
nothing, but refuses a body that is too large: malformed JSON, authentication and disconnects stay vLLM's.
"""

import json
from contextvars import ContextVar

from registry.request import UnrankableContent
from registry.texts import Text, cap_tokens, model_of, texts_of, uses_beam_search
from serving.http.bodies import ASGIApp, BodyLimit, BodyTooLarge, Message, Receive, Scope, Send, error_answer
from serving.ranking.holding_queue import Place
from serving.ranking.priority import ArrivalClock

PRIORITY_HEADER = b"x-vllm-priority"


class Incoming:
    """One HTTP request on its way to the engine. Its arrival is stamped once, when the body is complete."""

    def __init__(self, clock: ArrivalClock, path: str = "") -> None:
        self._clock = clock
        self._path = path
        self._body = bytearray()
        self._arrival_us: int | None = None
        self._texts: list[Text] | None = None
        self._num_requests = 0
        self.model: str | None = None
        self.is_beam_search = False
        self.cap_tokens: int | None = None
        self.places: dict[tuple[Text, float | None], Place] = {}
        """Places already found: beam search sends the same text at each step."""

    @property
    def arrival_us(self) -> int:
        """When the body was complete; now, if no body was seen (an engine request with no HTTP request behind it)."""
        if self._arrival_us is None:
            self._arrival_us = self._clock.stamp_us()
        return self._arrival_us

    @property
    def has_reached_the_engine(self) -> bool:
        """Whether an engine request has come from this HTTP request."""
        return self._num_requests > 0

    def see(self, message: Message) -> None:
        """Take note of one message that the application receives."""
        if message["type"] != "http.request":
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            _ = self.arrival_us

    def next_text(self, engine_text: str | None) -> Text:
        """The text of the next engine request that comes from this HTTP request."""
        if self._body:
            self._read_body()
        texts, index = self._texts, self._num_requests
        self._num_requests += 1
        if texts is None:
            return engine_text if engine_text is not None else UnrankableContent("no_text")
        if not texts:
            return UnrankableContent("empty")
        return texts[min(index, len(texts) - 1)]

    def _read_body(self) -> None:
        raw, self._body = bytes(self._body), bytearray()
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):  # the application has accepted it, so it isn't JSON by design
            return
        self._texts = texts_of(self._path, body)
        self.model = model_of(body)
        self.is_beam_search = uses_beam_search(body)
        self.cap_tokens = cap_tokens(body)


INCOMING: ContextVar[Incoming | None] = ContextVar("pars_incoming", default=None)


def current_incoming(clock: ArrivalClock) -> Incoming:
    """The HTTP request that this task works for, or a new one that arrives now."""
    return INCOMING.get() or Incoming(clock)


class IncomingLayer:
    """Pure ASGI middleware that makes `current_incoming` work inside the application."""

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
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0].lower() != PRIORITY_HEADER]}
        incoming = Incoming(self._clock, scope["path"].removeprefix(scope.get("root_path", "")))

        try:
            limit = BodyLimit(scope, self._max_body_bytes)
        except BodyTooLarge as error:
            return await error_answer(413, error.detail)(scope, receive, send)

        async def receive_and_see() -> Message:
            message = await receive()
            limit.count(message)
            incoming.see(message)
            return message

        token = INCOMING.set(incoming)
        try:
            await self._app(scope, receive_and_see, send)
        finally:
            INCOMING.reset(token)
