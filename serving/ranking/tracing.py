"""OpenTelemetry spans of a request. Without vLLM's `--otlp-traces-endpoint` nobody traces, and they are nothing.

With it vLLM sets the tracer provider of this process. The span of the request, in the client's trace if that named one,
has two children: ours of the ranking, and vLLM's own.
"""

from collections.abc import Mapping
from time import time_ns
from typing import Self

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from serving.request_stages import Place

REQUEST_SPAN = "pars.request"
SPAN = "pars.rank"


class RequestSpans:
    """The span of one request, and within it that of its ranking, which lasts as long as the request is held.

    Both are handed in when the answer has come, so that the ranking's tells what was predicted beside what came true;
    the time of its end is that of the ranking all the same.
    """

    def __init__(self, request: trace.Span, ranking: trace.Span) -> None:
        self._request = request
        self._span = ranking
        self._ended_ns: int | None = None
        self._is_open = True

    @classmethod
    def begin(cls, trace_headers: Mapping[str, str] | None) -> Self:
        """Of a request that begins to be held now."""
        tracer = trace.get_tracer("pars")
        context = TraceContextTextMapPropagator().extract(trace_headers) if trace_headers else None
        request = tracer.start_span(REQUEST_SPAN, context)
        return cls(request, tracer.start_span(SPAN, trace.set_span_in_context(request)))

    @property
    def trace_headers(self) -> Mapping[str, str] | None:
        """What makes vLLM's span a child of the request's; None where nobody traces."""
        if not self._request.is_recording():
            return None
        headers: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(headers, trace.set_span_in_context(self._request))
        return headers

    def tell_place(self, place: Place) -> None:
        """The request goes on, with this place; nothing of its prompt is noted."""
        self._ended_ns = time_ns()
        if not self._span.is_recording():
            return
        said = {
            "pars.quantile": place.quantile,
            "pars.predicted_tokens": place.predicted_tokens,
            "pars.instant_tokens": place.instant_tokens,
            "pars.correction": place.correction if place.tier else None,
            "pars.tier": place.tier,
            "pars.work_s": place.work_s,
            "pars.fail_open_reason": place.reason,
            "pars.ranker_version": place.ranker.version if place.ranker else None,
        }
        self._span.set_attributes({name: value for name, value in said.items() if value is not None})

    def tell_length(self, output_tokens: int) -> None:
        """The answers have so many tokens, all together: hand the spans in."""
        if self._is_open:
            self._span.set_attribute("pars.output_tokens", output_tokens)
        self.end()

    def end(self) -> None:
        """Hand them in, unless that has been done."""
        if self._is_open:
            self._is_open = False
            self._span.end(self._ended_ns)
            self._request.end()
