"""From a request to the priority that it goes on to the engine with."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Self

from serving.champion.served_rankers import MIDDLE
from serving.config import Settings
from serving.metrics import ENGINE_REQUESTS, NO_RANKER
from serving.ranking.load import EngineLoad, Seat
from serving.ranking.place_finder import ORDERING_IS_OFF, Finding, PlaceFinder
from serving.ranking.priority import priority
from serving.ranking.tracing import RequestSpans
from serving.ranking.turnstile import Candidate, Turnstile
from serving.request_stages import EngineRequest, HttpRequest, Place

logger = logging.getLogger(__name__)


@dataclass
class PriorityPolicy:
    """How priorities are made; the server's settings of these names."""

    patience_s: float
    cap_by_max_tokens: bool
    trust_client_priority: bool
    ranking_backlog_ms: float

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The policy that the settings ask for."""
        return cls(
            settings.patience_s,
            settings.cap_by_max_tokens,
            settings.trust_client_priority,
            settings.ranking_backlog_ms,
        )


@dataclass(frozen=True)
class Admission:
    """The priority that a request goes on with, and where it comes from."""

    priority: int
    source: str
    """`encoder`, `instant`, `median`, `arrival` (ranking or ordering is off) or `client`."""
    place: Place | None = None
    """None if none was sought."""
    target_llm: str = NO_RANKER
    """Whose ranker was asked."""
    spans: RequestSpans | None = None
    """Of the request and its ranking; whoever was given the admission ends them."""

    @property
    def expected_tokens(self) -> float | None:
        """The length that it was placed by; None unless a tier of the ranker placed it."""
        return None if self.place is None else self.place.expected_tokens

    @property
    def trace_headers(self) -> Mapping[str, str] | None:
        """What vLLM is to be given instead of the client's; None for those."""
        return None if self.spans is None else self.spans.trace_headers

    def tell_length(self, output_tokens: int) -> None:
        """Its answers have so many tokens."""
        if self.spans is not None:
            self.spans.tell_length(output_tokens)

    def end(self) -> None:
        """The request is over, whatever came of it."""
        if self.spans is not None:
            self.spans.end()


class Admissions:
    """Admits requests to the engine, one by one, the smallest priority first. All methods belong to one event loop."""

    def __init__(self, policy: PriorityPolicy, load: EngineLoad, place_finder: PlaceFinder | None) -> None:
        """First-come-first-served with no `place_finder`."""
        self._policy = policy
        self._place_finder = place_finder
        self._turnstile = Turnstile(load, policy.ranking_backlog_ms / 1000)

    async def admit(self, http_request: HttpRequest, request: EngineRequest, seat: Seat) -> Admission:
        """Wait until a request may go on, and take its seat; whoever called leaves it."""
        admission = await self._admission(http_request, request, seat)
        ENGINE_REQUESTS.labels(admission.source).inc()
        return admission

    async def _admission(self, http_request: HttpRequest, request: EngineRequest, seat: Seat) -> Admission:
        arrival_us = http_request.arrival_us
        if self._policy.trust_client_priority and request.client_priority != 0:
            return await self._with_priority(seat, request.client_priority, "client")
        if self._place_finder is None:
            return await self._with_priority(seat, arrival_us, "arrival")
        spans = RequestSpans.begin(request.trace_headers)
        try:
            place = await self.placed(self._place_finder, http_request, request, seat)
        except BaseException:
            spans.end()
            raise
        spans.tell_place(place)
        target_llm = self._place_finder.target_llm(request.model)
        return Admission(self._priority(arrival_us, place), _source(place), place, target_llm, spans)

    async def _with_priority(self, seat: Seat, order: int, source: str) -> Admission:
        await self._turnstile.wait(Candidate(seat, Place(MIDDLE), lambda _: order))
        return Admission(order, source)

    async def placed(self, finder: PlaceFinder, http_request: HttpRequest, request: EngineRequest, seat: Seat) -> Place:
        """The place that a request goes on with, once it may; beam search asks again and again with the same text."""
        asked = (request.view, request.size)
        known = http_request.places.get(asked)
        place, reading = (known, None) if known is not None else _found(finder, request)
        target_llm = finder.target_llm(request.model)
        priority_of = partial(self._priority, http_request.arrival_us)
        place = await self._turnstile.wait(Candidate(seat, place, priority_of, reading, target_llm))
        if known is None:
            finder.note(target_llm, place)
            http_request.places[asked] = place
        return place

    def _priority(self, arrival_us: int, place: Place) -> int:
        return priority(arrival_us, self._policy.patience_s, place.quantile)


def _found(finder: PlaceFinder, request: EngineRequest) -> Finding:
    try:
        return finder.find_place(request)
    except Exception as error:  # whatever it is: no request fails because it could not be placed
        logger.error("A request takes the middle place, because none could be found: %s.", type(error).__name__)
        return Place(MIDDLE, "error"), None


def _source(place: Place) -> str:
    if place.reason == ORDERING_IS_OFF:
        return "arrival"
    return place.tier or "median"
