"""OpenTelemetry spans of the ranking step. Without vLLM's `--otlp-traces-endpoint` nobody traces, and they are nothing.

With it vLLM sets the tracer provider of this process, and its own span of the request is a sibling of ours.
"""

from collections.abc import Mapping
from time import time_ns
from typing import Self

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from serving.request_stages import Place

SPAN = "pars.rank"


class RankingSpan:
    """The span of one request's ranking, in the client's trace, if its request named one.

    It lasts as long as the request is held. It is handed in when the answer has come, so that it tells what was
    predicted beside what came true; the time of its end is that of the ranking all the same.
    """

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._ended_ns: int | None = None
        self._is_open = True

    @classmethod
    def begin(cls, trace_headers: Mapping[str, str] | None) -> Self:
        """Of a request that begins to be held now."""
        context = TraceContextTextMapPropagator().extract(trace_headers) if trace_headers else None
        return cls(trace.get_tracer("pars").start_span(SPAN, context))

    def tell_place(self, place: Place) -> None:
        """The request goes on, with this place; nothing of its prompt is noted."""
        self._ended_ns = time_ns()
        if not self._span.is_recording():
            return
        said = {
            "pars.quantile": place.quantile,
            "pars.predicted_tokens": place.predicted_tokens,
            "pars.instant_tokens": place.instant_tokens,
            "pars.tier": place.tier,
            "pars.work_s": place.work_s,
            "pars.fail_open_reason": place.reason,
            "pars.ranker_version": place.ranker.version if place.ranker else None,
        }
        self._span.set_attributes({name: value for name, value in said.items() if value is not None})

    def tell_length(self, output_tokens: int) -> None:
        """The answers have so many tokens, all together: hand the span in."""
        if self._is_open:
            self._span.set_attribute("pars.output_tokens", output_tokens)
        self.end()

    def end(self) -> None:
        """Hand it in, unless that has been done."""
        if self._is_open:
            self._is_open = False
            self._span.end(self._ended_ns)
