"""Spans of the ranking step, in memory."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from serving.arrival_clock import ArrivalClock
from serving.ranking.load import EngineLoad
from serving.ranking.prioritiser import Prioritiser
from serving.ranking.tracing import SPAN
from tests.serving.fakes import FakeEngine, FakeRanker, make_policy, only

TRACE_ID = 0x0AF7651916CD43DD8448EB211C80319C
HEADERS = {"traceparent": f"00-{TRACE_ID:032x}-b7ad6b7169203331-01"}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)  # the process's own provider is set once for ever
    return exporter


@pytest.fixture
def ranker() -> Iterator[FakeRanker]:
    ranker = FakeRanker()
    yield ranker
    ranker.may_go_on.set()


async def generate(ranker: FakeRanker, prompt: str, **kwargs: Any) -> None:
    load = EngineLoad(4)
    finder = only(lambda: ranker)
    prioritiser = Prioritiser(make_policy(), ArrivalClock(), load, finder)
    params = SimpleNamespace(max_tokens=None, n=1)
    async for _ in prioritiser.wrap(FakeEngine().generate)(prompt, params, "id", **kwargs):
        pass
    finder.close()


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


async def test_ranking_is_a_span_in_the_clients_trace(spans: InMemorySpanExporter, ranker: FakeRanker) -> None:
    await generate(ranker, "three short words", trace_headers=HEADERS)
    (span,) = spans.get_finished_spans()
    assert span.name == SPAN
    assert span.context is not None and span.context.trace_id == TRACE_ID
    assert attributes(span) == {"pars.quantile": 0.3, "pars.predicted_tokens": 3, "pars.tier": "encoder"}


async def test_fail_open_names_its_reason_and_nothing_of_the_prompt(
    spans: InMemorySpanExporter, ranker: FakeRanker
) -> None:
    ranker.may_go_on.clear()
    await generate(ranker, "zanzibar")
    (span,) = spans.get_finished_spans()
    assert attributes(span) == {"pars.quantile": 0.5, "pars.fail_open_reason": "budget"}
    assert "zanzibar" not in span.to_json()


async def test_without_tracing_there_is_no_span_that_records(ranker: FakeRanker) -> None:
    assert not trace.get_tracer("pars").start_span(SPAN).is_recording()
    await generate(ranker, "three short words", trace_headers=HEADERS)
