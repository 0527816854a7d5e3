"""One request in its stages: as HTTP brought it, as the engine is asked, its place in the queue."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import inf
from typing import Any

from registry.ranker import Tier
from registry.request import TOO_LARGE, Conversation, Text, UnrankableContent, render_messages
from serving.api_bodies import View, cap_tokens, conversations_of, model_of, parsed, uses_beam_search
from serving.arrival_clock import ArrivalClock
from serving.origin import NOBODY, Origin


@dataclass(frozen=True)
class Size:
    """What of a request's work is known without a ranker."""

    cap_tokens: float | None = None
    """The longest answer that it can get; None if that is not known, or shall not count."""
    prompt_tokens: int | None = None
    """Of the whole prompt as the engine gets it, chat template and images with it; None where nobody has counted."""
    characters: int | None = None
    """Of the text, from which tokens are estimated where nobody has counted them."""
    correction: float = 1.0
    """How many times longer than predicted the answers to its like have been lately (`serving.correction`)."""


ANY_SIZE = Size()
"""Of a request of which nothing is known but its text."""


@dataclass(frozen=True)
class EngineRequest:
    """What is asked of the engine, as far as its place in the queue depends on it."""

    model: str | None
    """The name that the client gave, or the LoRA adapter's; None if it gave none."""
    view: View
    size: Size
    num_sequences: int
    client_priority: int
    trace_headers: Mapping[str, str] | None
    origin: Origin = NOBODY


@dataclass(frozen=True)
class RankerName:
    """Which ranker said something."""

    version: str | None
    """Its address in the registry, as commands take it; None if it is not from there."""
    digest: str
    """SHA-256 of its card, in which the digests of its other files stand."""


@dataclass(frozen=True)
class Place:
    """A place among all answers: 0 the shortest, 1 the longest; `reason` says why it is the median's, if it is."""

    quantile: float
    reason: str | None = None
    predicted_tokens: float | None = field(default=None, compare=False)
    tier: Tier | None = None
    """Which tier of the ranker found it; None if neither did."""
    work_s: float | None = field(default=None, compare=False)
    """Seconds of the engine's time; None unless it was ranked, by work."""
    instant_tokens: float | None = field(default=None, compare=False)
    """What the instant tier predicted, whether its place stands or the encoder's; None if it was not asked."""
    correction: float = field(default=1.0, compare=False)
    """What the predictions were multiplied by to find the place."""
    ranker: RankerName | None = field(default=None, compare=False)
    """Who found it."""

    @property
    def encoder_tokens(self) -> float | None:
        """What the encoder predicted; None if its place does not stand."""
        return self.predicted_tokens if self.tier == "encoder" else None

    @property
    def expected_tokens(self) -> float | None:
        """The length that it was placed by: what was predicted, corrected; None unless a tier placed it."""
        return None if self.predicted_tokens is None else self.predicted_tokens * self.correction


class HttpRequest:
    """One HTTP request on its way to the engine. Its arrival is stamped once, when the body is complete."""

    def __init__(self, clock: ArrivalClock, path: str = "", max_body_bytes: float = inf) -> None:
        """Of a body of more than `max_body_bytes` nothing is kept: it is passed on, and not ranked."""
        self._clock = clock
        self.path = path
        self.body: Any = None
        """Its JSON, once it is read; None where it is not."""
        self._max_body_bytes = max_body_bytes
        self._body = bytearray()
        self._arrival_us: int | None = None
        self._conversations: Sequence[Conversation] | None = None
        self._objection: UnrankableContent | None = None
        self.credential = ""
        """The API key that its client shows; empty where it shows none."""
        self.conversation: Conversation | None = None
        """Of the latest of its engine requests; None where its body has none."""
        self.num_requests = 0
        """Engine requests that have come from it so far."""
        self.model: str | None = None
        self.is_beam_search = False
        self.cap_tokens: int | None = None
        self.places: dict[tuple[View, Size], Place] = {}
        """Places already found: beam search sends the same text at each step."""
        self._prompt_tokens: dict[Text, int | None] = {}
        self.admitted: list[tuple[EngineRequest, Any]] = []
        """What was admitted before vLLM's application was asked, each with its admission; empty where that asks us."""

    @property
    def arrival_us(self) -> int:
        """When the body was complete; now, if no body was seen (an engine request with no HTTP request behind it)."""
        if self._arrival_us is None:
            self._arrival_us = self._clock.stamp_us()
        return self._arrival_us

    @property
    def has_reached_the_engine(self) -> bool:
        """Whether an engine request has come from this HTTP request."""
        return self.num_requests > 0

    def see(self, message: Mapping[str, Any]) -> None:
        """Take note of one ASGI message that the application receives."""
        if message["type"] != "http.request":
            return
        self._keep(message.get("body", b""))
        if not message.get("more_body", False):
            _ = self.arrival_us

    def _keep(self, piece: bytes) -> None:
        if self._objection is None and len(self._body) + len(piece) > self._max_body_bytes:
            self._objection = UnrankableContent(TOO_LARGE)
            self._body.clear()
        if self._objection is None:
            self._body += piece

    @property
    def is_read(self) -> bool:
        """Whether what the client wrote is known; if not, the engine's own arguments are all there is."""
        return self._objection is None

    def next_text(self, engine_text: str | None) -> Text:
        """The text of the next engine request that comes from this HTTP request.

        Raises:
            Exception: of any kind, over a body in a form that nobody expected.
        """
        index = self.num_requests
        self.num_requests += 1
        if self._body:
            self._read_body()
        if self._objection is not None:
            return self._objection
        if self._conversations is None:
            return engine_text if engine_text is not None else UnrankableContent("no_text")
        self.conversation = self._conversations[min(index, len(self._conversations) - 1)]
        return render_messages(self.conversation)

    def next_admitted(self) -> tuple[EngineRequest, Any]:
        """What was admitted of the next engine request that comes from this HTTP request."""
        index = self.num_requests
        self.num_requests += 1
        return self.admitted[min(index, len(self.admitted) - 1)]

    def first_prompt_tokens(self, text: Text, prompt_tokens: int | None) -> int | None:
        """Those of the prompt itself: beam search sends it again and again, with what has been answered so far."""
        return self._prompt_tokens.setdefault(text, prompt_tokens) if self.is_beam_search else prompt_tokens

    def _read_body(self) -> None:
        raw, self._body = bytes(self._body), bytearray()
        self._objection = UnrankableContent("malformed")  # stands, if reading fails
        try:
            body = parsed(raw)
        except UnrankableContent as reason:
            self._objection = reason
            return
        self.body = body
        self._conversations = conversations_of(self.path, body)
        self.model = model_of(body)
        self.is_beam_search = uses_beam_search(body)
        self.cap_tokens = cap_tokens(body)
        self._objection = None


HTTP_REQUEST: ContextVar[HttpRequest | None] = ContextVar("pars_http_request", default=None)


@contextmanager
def as_current(request: HttpRequest) -> Iterator[None]:
    """What is done in the block is done for this request."""
    token = HTTP_REQUEST.set(request)
    try:
        yield
    finally:
        HTTP_REQUEST.reset(token)


def current_http_request(clock: ArrivalClock) -> HttpRequest:
    """The HTTP request that this task works for, or a new one that arrives now."""
    return HTTP_REQUEST.get() or HttpRequest(clock)
