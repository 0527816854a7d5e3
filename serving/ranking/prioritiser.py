"""The choke point before the engine: each request that goes through here carries our priority.

vLLM's default priority of 0 would beat every clock time, and several routes can't carry one. So not the routes but the
engine client's own methods are wrapped.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from registry.request import Text, reason_of
from serving.api_bodies import request_view
from serving.arrival_clock import ArrivalClock
from serving.correction.corrections import Corrections
from serving.journal.journal import Journal
from serving.journal.served_request import ServedRequest
from serving.ranking.admission import Admission, Admissions, PriorityPolicy
from serving.ranking.engine_prompt import prompt_tokens_of, text_of
from serving.ranking.load import EngineLoad
from serving.ranking.place_finder import PlaceFinder
from serving.request_stages import HTTP_REQUEST, EngineRequest, HttpRequest, Size, current_http_request

if TYPE_CHECKING:
    from serving.drift.live_drift import LiveDrift
    from serving.outcomes import Outcomes  # importing them puts their metrics on the page

Generate = Callable[..., AsyncGenerator[Any, None]]


class Prioritiser:
    """Gives each engine request its priority, and counts it in and out of the engine."""

    def __init__(
        self,
        policy: PriorityPolicy,
        clock: ArrivalClock,
        load: EngineLoad,
        place_finder: PlaceFinder | None,
        outcomes: "Outcomes | None" = None,
        journal: Journal | None = None,
        drift: "LiveDrift | None" = None,
    ) -> None:
        """First-come-first-served with no `place_finder`; `outcomes`, `journal` and `drift` hear of all answers."""
        self.policy = policy
        self.clock = clock
        self._load = load
        self.admissions = Admissions(policy, load, place_finder)
        self.corrections = place_finder.corrections if place_finder is not None else Corrections(None)
        self._outcomes = outcomes
        self._drift = drift
        self._journal = journal or Journal(clock)

    def wrap(self, generate: Generate) -> Generate:
        """The same method of the engine client, with our priority in place of the caller's."""

        def generate_with_priority(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
            # The text is taken here and not at the first step, because the order of the calls says whose text is whose.
            http_request = current_http_request(self.clock)
            request = self._read(http_request, args, kwargs)
            return self._generate(generate, http_request, request, args, kwargs)

        return generate_with_priority

    async def _generate(
        self, generate: Generate, http_request: HttpRequest, request: EngineRequest, args: Any, kwargs: dict[str, Any]
    ) -> AsyncGenerator[Any, None]:
        served = self._journal.begin(http_request, request, args, kwargs)
        with self._load.seat(request.num_sequences) as seat, served:
            admission = await self.admissions.admit(http_request, request, seat)
            served.let_go(admission)
            kwargs["priority"] = admission.priority
            _trace_as(admission, kwargs)
            with self._following(served, request):
                async with (
                    aclosing(generate(*args, **kwargs)) as outputs,
                    aclosing(self._watched(outputs, http_request, admission, served)) as watched,
                ):
                    async for output in watched:
                        yield output

    @asynccontextmanager
    async def admitted(self, http_request: HttpRequest, request: EngineRequest) -> AsyncIterator[Admission]:
        """The request's admission; while the block lasts it is counted in the engine's load."""
        origin = self.corrections.origin(http_request.credential, http_request.conversation, request.view)
        request = replace(request, origin=origin)
        with self._load.seat(request.num_sequences) as seat:
            admission = await self.admissions.admit(http_request, request, seat)
            http_request.admitted.append((request, admission))
            try:
                yield admission
            finally:
                admission.end()

    def watch(self, generate: Generate) -> Generate:
        """The same method, its answers seen, where requests were `admitted` before they came to vLLM."""

        def generate_and_see(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
            http_request = HTTP_REQUEST.get()
            if http_request is None or not http_request.admitted:
                return generate(*args, **kwargs)
            return self._seen(generate, http_request, args, kwargs)

        return generate_and_see

    async def _seen(
        self, generate: Generate, http_request: HttpRequest, args: Any, kwargs: dict[str, Any]
    ) -> AsyncGenerator[Any, None]:
        request, admission = http_request.next_admitted()
        with self._journal.begin(http_request, request, args, kwargs) as served:
            served.let_go(admission)
            _trace_as(admission, kwargs)
            with self._following(served, request):
                async with aclosing(generate(*args, **kwargs)) as outputs:
                    async for output in outputs:
                        served.see(output)
                        yield output

    @contextmanager
    def _following(self, served: ServedRequest, request: EngineRequest) -> Iterator[None]:
        """While the block lasts a request runs; then who learns from its answer hears of it."""
        try:
            with self.corrections.following(served, request.origin):
                yield
        finally:
            if self._drift is not None:
                self._drift.note(served)

    async def _watched(
        self,
        outputs: AsyncGenerator[Any, None],
        http_request: HttpRequest,
        admission: Admission,
        served: ServedRequest,
    ) -> AsyncGenerator[Any, None]:
        """The same outputs; the journal hears of all, the metrics of the first and the last one."""
        output, is_taken_up = None, False
        async for output in outputs:
            if not is_taken_up:
                is_taken_up = True
                self._note_taken_up(http_request, admission, output)
            served.see(output)
            yield output
        self._note_finished(http_request, admission, output)

    def _note_taken_up(self, http_request: HttpRequest, admission: Admission, first_output: Any) -> None:
        # A trusted client's own priority may lie before the arrival; to that one nothing is promised.
        if self._outcomes is not None and admission.priority >= http_request.arrival_us:
            self._outcomes.note_taken_up(admission.target_llm, http_request.arrival_us, first_output)

    def _note_finished(self, http_request: HttpRequest, admission: Admission, last_output: Any) -> None:
        if self._outcomes is None or admission.expected_tokens is None or http_request.is_beam_search:
            return
        self._outcomes.note_finished(admission.expected_tokens, last_output)

    def _read(self, http_request: HttpRequest, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> EngineRequest:
        prompt = args[0] if args else kwargs.get("prompt")
        params = args[1] if len(args) > 1 else kwargs.get("sampling_params", kwargs.get("pooling_params"))
        try:
            text: Text = http_request.next_text(text_of(prompt))
        except Exception as error:  # whatever it is over: no request fails because of how we read it
            text = reason_of(error)
        view = request_view(text, http_request.body, reads_cap=self.policy.cap_by_max_tokens)
        return EngineRequest(
            model=getattr(kwargs.get("lora_request"), "lora_name", None) or http_request.model,
            view=view,
            size=Size(
                cap_tokens=self._cap_tokens(http_request, params),
                prompt_tokens=http_request.first_prompt_tokens(text, prompt_tokens_of(prompt)),
                characters=len(text) if isinstance(text, str) else None,
            ),
            num_sequences=getattr(params, "n", None) or 1,
            client_priority=kwargs.get("priority") or 0,
            trace_headers=kwargs.get("trace_headers"),
            origin=self.corrections.origin(http_request.credential, http_request.conversation, view),
        )

    def _cap_tokens(self, http_request: HttpRequest, params: Any) -> float | None:
        """The longest answer that this request can get: the client's limit, or the room left in the context."""
        if not self.policy.cap_by_max_tokens:
            return None
        if http_request.is_beam_search:
            return http_request.cap_tokens
        if not http_request.is_read and getattr(params, "max_tokens", None) == 1:  # as beam search asks at each step
            return None
        cap = getattr(params, "max_tokens", 1)  # pooling has no such limit: it answers with no token at all
        return None if cap is None else max(cap, 1)


def _trace_as(admission: Admission, kwargs: dict[str, Any]) -> None:
    if (headers := admission.trace_headers) is not None:
        kwargs["trace_headers"] = headers
