"""Spans of generative AI as requests: those that the collector's file exporter or an OTLP/HTTP client writes as JSON.

Read in OpenTelemetry's GenAI conventions, October 2026 (in development; they moved to `semantic-conventions-genai`), in
those up to v1.36, and in vLLM 0.32 (`tracing`), whose spans have no prompts. Only operations that bring text are an
LLM's answers; prompts are there only if the instrumentation captures content.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from traffic.adapters.adapter import FAILED, Adapter, one_by_one, request
from traffic.adapters.otlp.attributes import attributes_of, listed
from traffic.adapters.otlp.span_messages import DETAILS, Attributes, Event, answer_of, asked_of
from traffic.adapters.remarks import Remarks
from traffic.cells.nested import nested, unpacked
from traffic.cells.times import seconds_between
from traffic.rows.record import Values

OPERATIONS = frozenset({"chat", "text_completion", "generate_content", "completion"})
"""The last is OpenLLMetry's."""
OPERATION = ("gen_ai.operation.name", "llm.request.type")
MODEL = ("gen_ai.request.model", "gen_ai.response.model")
OUTPUT_TOKENS = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.usage.completion_tokens")
INPUT_TOKENS = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens")
REASONING_TOKENS = ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens")
FIRST_TOKEN_S = (
    *("gen_ai.response.time_to_first_chunk", "gen_ai.latency.time_to_first_token"),
    "gen_ai.server.time_to_first_token",
)
CHOICES = ("gen_ai.request.choice.count", "gen_ai.request.n")
PARAMS = {
    "max_tokens": "gen_ai.request.max_tokens",
    "tools": "gen_ai.tool.definitions",
    "temperature": "gen_ai.request.temperature",
    "reasoning_effort": "gen_ai.request.reasoning.level",
}
SESSION = ("gen_ai.conversation.id", "session.id")
TENANT = ("tenant.id", "enduser.id", "user.id")

OTHER_SPANS = "{count} spans are no answers of an LLM and were left out."
BROKEN_SPANS = "{count} spans are not of OpenTelemetry's form and were left out."
NO_CONTENT = (
    "{count} spans hold no prompts; let the instrumentation capture them"
    " (OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental"
    " OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY)."
)


def _recognises(values: Values) -> bool:
    is_export = any(isinstance(unpacked(values.get(name)), list) for name in ("resourceSpans", "resource_spans"))
    return is_export or ("attributes" in values and bool({"spanId", "span_id", "context"} & values.keys()))


def _requests(values: Values, remarks: Remarks) -> Iterator[dict[str, Any]]:
    for span in _spans(values):
        attributes, events = _held(span)
        if not _is_answer(attributes):
            remarks.counts[OTHER_SPANS] += 1
            continue
        try:
            made = _request(span, attributes, events)
        except (TypeError, ValueError, LookupError, AttributeError):  # a form that nobody expected
            remarks.counts[BROKEN_SPANS] += 1
            continue
        remarks.counts[NO_CONTENT] += not (made["messages"] or made["prompt"])
        yield made


def _spans(values: Values) -> Iterator[Mapping[str, Any]]:
    """All spans of an export, or the span itself, as some write one a line."""
    if "attributes" in values:
        yield values
        return
    exported = {name: unpacked(values.get(name)) for name in ("resourceSpans", "resource_spans")}
    for resource in listed(exported, *exported):
        for scope in listed(resource, "scopeSpans", "scope_spans", "instrumentationLibrarySpans"):
            yield from listed(scope, "spans")


def _held(span: Mapping[str, Any]) -> tuple[Attributes, list[Event]]:
    """The attributes of a span, with those of the event that may hold its messages, and its other events."""
    attributes = attributes_of(unpacked(span.get("attributes")))
    events: list[Event] = [
        (str(one.get("name")), attributes_of(one.get("attributes"))) for one in listed(span, "events")
    ]
    for name, held in events:
        if name in (DETAILS, "gen_ai.content.prompt", "gen_ai.content.completion"):
            attributes = {**held, **attributes}
    return attributes, events


def _is_answer(attributes: Attributes) -> bool:
    operation = _first(attributes, OPERATION)
    if operation is not None:
        return str(operation).lower() in OPERATIONS
    return _first(attributes, (*OUTPUT_TOKENS, "gen_ai.request.model")) is not None


def _request(span: Mapping[str, Any], attributes: Attributes, events: list[Event]) -> dict[str, Any]:
    text, reasons, num_answers = answer_of(attributes, events)
    is_alone = num_answers == 1 and str(_first(attributes, CHOICES)) in ("None", "1")
    start, end = (_moment(span, name) for name in ("start", "end"))
    return request(
        {"trace_id": _named(span, "trace")},
        asked_of(attributes, events),
        _params(attributes),
        answer=text if is_alone else None,
        output_tokens=_first(attributes, OUTPUT_TOKENS) if is_alone else None,
        prompt_tokens=_first(attributes, INPUT_TOKENS),
        reasoning_tokens=_first(attributes, REASONING_TOKENS) if is_alone else None,
        finish_reason=FAILED if _has_failed(span, attributes) else _reasons(attributes) or reasons,
        model=_first(attributes, MODEL),
        arrival_s=start,
        time_to_first_token_s=_first(attributes, FIRST_TOKEN_S),
        end_to_end_s=_first(attributes, ("gen_ai.latency.e2e",)) or seconds_between(start, end),
        request_id=_first(attributes, ("gen_ai.response.id", "gen_ai.request.id")) or _named(span, "span"),
        session=_first(attributes, SESSION),
        tenant=_first(attributes, TENANT),
    )


def _first(attributes: Attributes, names: tuple[str, ...]) -> Any:
    return next((attributes[name] for name in names if attributes.get(name) is not None), None)


def _params(attributes: Attributes) -> dict[str, Any]:
    return {name: value for name, column in PARAMS.items() if (value := unpacked(attributes.get(column))) is not None}


def _reasons(attributes: Attributes) -> Any:
    return unpacked(_first(attributes, ("gen_ai.response.finish_reasons", "gen_ai.response.finish_reason")))


def _has_failed(span: Mapping[str, Any], attributes: Attributes) -> bool:
    code = str(nested(span.get("status"), "code") or nested(span.get("status"), "status_code"))
    return attributes.get("error.type") is not None or code in ("2", "STATUS_CODE_ERROR", "ERROR")


def _moment(span: Mapping[str, Any], which: str) -> Any:
    """When it started or ended; 0 where nobody noted it."""
    names = (f"{which}TimeUnixNano", f"{which}_time_unix_nano", f"{which}_time", f"{which}Time")
    moment = next((span[name] for name in names if span.get(name) is not None), None)
    return None if str(moment) in ("0", "") else moment


def _named(span: Mapping[str, Any], what: str) -> Any:
    return span.get(f"{what}Id") or span.get(f"{what}_id") or nested(span.get("context"), f"{what}_id") or None


OTLP = Adapter("OpenTelemetry", ("resourceSpans", "resource_spans"), _recognises, one_by_one(_requests))
