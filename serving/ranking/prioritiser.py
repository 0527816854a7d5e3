"""The choke point before the engine: each request that goes through here carries our priority.

vLLM's default priority of 0 would beat every clock time, and several routes can't carry one. So not the routes but the
engine client's own methods are wrapped.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from registry.texts import Text
from serving.config import Settings
from serving.metrics import ENGINE_REQUESTS
from serving.ranking.holding_queue import Place
from serving.ranking.load import EngineLoad
from serving.ranking.place_finder import Rankings
from serving.ranking.priority import ArrivalClock, priority
from serving.ranking.tracing import describe, ranking_span
from serving.requests import Incoming, current_incoming

if TYPE_CHECKING:
    from serving.outcomes import Outcomes  # importing it puts its metrics on the page

Generate = Callable[..., AsyncGenerator[Any, None]]


@dataclass
class Policy:
    """How priorities are made; the server's settings."""

    patience_s: float = 120.0
    cap_by_max_tokens: bool = True
    trust_client_priority: bool = False


def policy_of(settings: Settings) -> Policy:
    """The policy that the settings ask for."""
    return Policy(settings.patience_s, settings.cap_by_max_tokens, settings.trust_client_priority)


@dataclass(frozen=True)
class EngineRequest:
    """What is asked of the engine client's method, as far as it matters here."""

    model: str | None
    """The name that the client gave, or the LoRA adapter's; None if it gave none."""
    text: Text
    cap_tokens: float | None
    num_sequences: int
    client_priority: int
    trace_headers: Mapping[str, str] | None


class Prioritiser:
    """Gives each engine request its priority, and counts it in and out of the engine."""

    def __init__(
        self,
        policy: Policy,
        clock: ArrivalClock,
        load: EngineLoad,
        rankings: Rankings | None,
        outcomes: "Outcomes | None" = None,
    ) -> None:
        """First-come-first-served with no `rankings`; `outcomes` hears of the answers that are seen."""
        self.policy = policy
        self._clock = clock
        self._load = load
        self._rankings = rankings
        self._outcomes = outcomes

    def wrap(self, generate: Generate) -> Generate:
        """The same method of the engine client, with our priority in place of the caller's."""

        def generate_with_priority(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
            # The text is taken here and not at the first step, because the order of the calls says whose text is whose.
            incoming = current_incoming(self._clock)
            request = self._read(incoming, args, kwargs)
            return self._generate(generate, incoming, request, args, kwargs)

        return generate_with_priority

    async def _generate(
        self, generate: Generate, incoming: Incoming, request: EngineRequest, args: Any, kwargs: dict[str, Any]
    ) -> AsyncGenerator[Any, None]:
        kwargs["priority"], predicted_tokens = await self.admit(incoming, request)
        output, is_taken_up = None, False
        try:
            async with aclosing(generate(*args, **kwargs)) as outputs:
                async for output in outputs:
                    if not is_taken_up:
                        is_taken_up = True
                        self._note_overtaking(incoming, kwargs["priority"], output)
                    yield output
            self._note(incoming, predicted_tokens, output)
        finally:
            self._load.leave(request.num_sequences)

    def _note(self, incoming: Incoming, predicted_tokens: float | None, last_output: Any) -> None:
        if self._outcomes is None or predicted_tokens is None or incoming.is_beam_search:
            return
        self._outcomes.note_finished(predicted_tokens, last_output)

    def _note_overtaking(self, incoming: Incoming, priority: int, first_output: Any) -> None:
        if self._outcomes is None:
            return
        if priority >= incoming.arrival_us:  # else it is a trusted client's, to whom nothing is promised
            self._outcomes.note_taken_up(incoming.arrival_us, first_output)

    async def admit(self, incoming: Incoming, request: EngineRequest) -> tuple[int, float | None]:
        """Priority and, if it was ranked, predicted tokens of a request; it is then counted in the engine's load."""
        if self.policy.trust_client_priority and request.client_priority != 0:
            self._enter("client", request)
            return request.client_priority, None
        if self._rankings is None:
            self._enter("arrival", request)
            return incoming.arrival_us, None
        with ranking_span(request.trace_headers) as span:
            place = await self._find_place(self._rankings, incoming, request)
            describe(span, place)
        ENGINE_REQUESTS.labels("median" if place.reason else "ranked").inc()
        return priority(incoming.arrival_us, self.policy.patience_s, place.quantile), place.predicted_tokens

    async def _find_place(self, rankings: Rankings, incoming: Incoming, request: EngineRequest) -> Place:
        known = incoming.places.get((request.text, request.cap_tokens))
        if known is not None:
            self._load.enter(request.num_sequences)
            return known
        place = await rankings.find_place(request.model, request.text, request.cap_tokens, request.num_sequences)
        incoming.places[request.text, request.cap_tokens] = place
        return place

    def _enter(self, source: str, request: EngineRequest) -> None:
        ENGINE_REQUESTS.labels(source).inc()
        self._load.enter(request.num_sequences)

    def _read(self, incoming: Incoming, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> EngineRequest:
        prompt = args[0] if args else kwargs["prompt"]
        params = args[1] if len(args) > 1 else kwargs.get("sampling_params", kwargs.get("pooling_params"))
        text = incoming.next_text(_text_of(prompt))
        return EngineRequest(
            model=getattr(kwargs.get("lora_request"), "lora_name", None) or incoming.model,
            text=text,
            cap_tokens=self._cap_tokens(incoming, params),
            num_sequences=getattr(params, "n", None) or 1,
            client_priority=kwargs.get("priority") or 0,
            trace_headers=kwargs.get("trace_headers"),
        )

    def _cap_tokens(self, incoming: Incoming, params: Any) -> float | None:
        """The longest answer that this request can get: the client's limit, or the room left in the context."""
        if not self.policy.cap_by_max_tokens:
            return None
        if incoming.is_beam_search:
            return incoming.cap_tokens
        cap = getattr(params, "max_tokens", 1)  # pooling has no such limit: it answers with no token at all
        return None if cap is None else max(cap, 1)


def _text_of(prompt: Any) -> str | None:
    """The text of an engine prompt, if it has one and nothing else: token ids, embeddings and media can't be ranked."""
    if isinstance(prompt, str):
        return prompt
    if not isinstance(prompt, Mapping) or prompt.get("type", "token") != "token":
        return None
    text = prompt.get("prompt")
    return text if isinstance(text, str) else None
