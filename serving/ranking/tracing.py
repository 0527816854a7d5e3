"""OpenTelemetry spans of the ranking step. Without vLLM's `--otlp-traces-endpoint` nobody traces, and they are nothing.

With it vLLM sets the tracer provider of this process, and its own span of the request is a sibling of ours.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from serving.request_stages import Place

SPAN = "pars.rank"


@contextmanager
def ranking_span(trace_headers: Mapping[str, str] | None) -> Iterator[trace.Span]:
    """A span in the client's trace, if its request named one; it lasts as long as the request is held."""
    context = TraceContextTextMapPropagator().extract(trace_headers) if trace_headers else None
    with trace.get_tracer("pars").start_as_current_span(SPAN, context) as span:
        yield span


def describe(span: trace.Span, place: Place) -> None:
    """Note in a span what came of the ranking; nothing of the prompt."""
    if not span.is_recording():
        return
    span.set_attribute("pars.quantile", place.quantile)
    if place.predicted_tokens is not None:
        span.set_attribute("pars.predicted_tokens", place.predicted_tokens)
    if place.tier is not None:
        span.set_attribute("pars.tier", place.tier)
    if place.work_s is not None:
        span.set_attribute("pars.work_s", place.work_s)
    if place.reason is not None:
        span.set_attribute("pars.fail_open_reason", place.reason)
