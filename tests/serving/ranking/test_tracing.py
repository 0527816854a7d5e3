"""Spans of the ranking step, in memory."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from time import time_ns
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
from serving.ranking.tracing import REQUEST_SPAN, SPAN
from tests.serving.fakes import FakeEngine, FakeRanker, make_policy, only
from tests.serving.journal.journals import output

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
    engine = FakeEngine((output((0, 3, None)), output((0, 7, "stop"))))
    async for _ in prioritiser.wrap(engine.generate)(prompt, params, "id", **kwargs):
        pass
    finder.close()


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


async def test_ranking_is_a_span_in_the_clients_trace(spans: InMemorySpanExporter, ranker: FakeRanker) -> None:
    await generate(ranker, "three short words", trace_headers=HEADERS)
    span, request = spans.get_finished_spans()
    assert (span.name, request.name) == (SPAN, REQUEST_SPAN)
    assert span.parent == request.context
    assert request.parent is not None and request.parent.trace_id == TRACE_ID
    assert span.context is not None and span.context.trace_id == TRACE_ID
    assert attributes(span) == {
        "pars.quantile": 0.3,
        "pars.predicted_tokens": 3,
        "pars.tier": "encoder",
        "pars.correction": 1,
        "pars.ranker_version": "models:/pars-demo-llm/1",
        "pars.output_tokens": 7,
    }


async def test_the_span_ends_with_the_ranking_though_it_tells_what_came_true(
    spans: InMemorySpanExporter, ranker: FakeRanker
) -> None:
    async def slow(*_: Any, **__: Any) -> AsyncGenerator[Any, None]:
        yield output((0, 3, None))
        assert not spans.get_finished_spans(), "it is handed in at the end of the answer"
        answering_ns.append(time_ns())
        yield output((0, 7, "stop"))

    answering_ns: list[int] = []
    finder = only(lambda: ranker)
    generate = Prioritiser(make_policy(), ArrivalClock(), EngineLoad(4), finder).wrap(slow)
    async for _ in generate("three short words", SimpleNamespace(max_tokens=None, n=1), "id"):
        pass
    finder.close()
    span, _ = spans.get_finished_spans()
    assert span.end_time is not None and span.end_time < answering_ns[0]


async def test_a_span_of_a_client_who_leaves_is_handed_in(spans: InMemorySpanExporter, ranker: FakeRanker) -> None:
    ranker.may_go_on.clear()
    load, finder = EngineLoad(0), only(lambda: ranker)
    prioritiser = Prioritiser(make_policy(), ArrivalClock(), load, finder)
    outputs = prioritiser.wrap(FakeEngine().generate)("one", SimpleNamespace(max_tokens=None, n=1), "id")
    waiting = asyncio.create_task(anext(outputs))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert [span.name for span in spans.get_finished_spans()] == [SPAN, REQUEST_SPAN]
    finder.close()


async def test_fail_open_names_its_reason_and_nothing_of_the_prompt(
    spans: InMemorySpanExporter, ranker: FakeRanker
) -> None:
    ranker.may_go_on.clear()
    await generate(ranker, "zanzibar")
    span, _ = spans.get_finished_spans()
    assert attributes(span) == {"pars.quantile": 0.5, "pars.fail_open_reason": "budget", "pars.output_tokens": 7}
    assert "zanzibar" not in span.to_json()


async def test_without_tracing_there_is_no_span_that_records(ranker: FakeRanker) -> None:
    assert not trace.get_tracer("pars").start_span(SPAN).is_recording()
    await generate(ranker, "three short words", trace_headers=HEADERS)


@pytest.mark.parametrize("headers", [HEADERS, None], ids=["clients", "own"])
async def test_vllms_own_span_is_a_child_of_the_requests(
    spans: InMemorySpanExporter, ranker: FakeRanker, headers: dict[str, str] | None
) -> None:
    engine, finder = FakeEngine(), only(lambda: ranker)
    generate = Prioritiser(make_policy(), ArrivalClock(), EngineLoad(4), finder).wrap(engine.generate)
    async for _ in generate("one", SimpleNamespace(max_tokens=None, n=1), "id", trace_headers=headers):
        pass
    finder.close()
    _, request = spans.get_finished_spans()
    assert request.context is not None
    expected = f"00-{request.context.trace_id:032x}-{request.context.span_id:016x}-"
    assert engine.asked[0]["trace_headers"]["traceparent"].startswith(expected)
