"""`traffic/adapters/otlp/`: spans of generative AI in the conventions of now and before."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.traffic.adapters.foreign_logs import Json, attributes, export, said, span, value_of
from tests.traffic.logs import write
from traffic.describe import DescribeConfig, Description, describe_log
from traffic.length_log import LengthLogSource, read_length_log
from traffic.notes.encoders import DEFAULT_ENCODER, encoder_path
from traffic.read import Reading
from traffic.rows.row import Row
from traffic.rows.rules import ARRIVAL_COLUMN, Columns, RowRules

TOKENIZER = encoder_path(DEFAULT_ENCODER)
NO_INPUT = {"gen_ai.input.messages": None}


def describe(path: Path, spans: list[Json], **choice: Any) -> Description:
    return describe_log(DescribeConfig(log=write(path / "log.jsonl", [export(spans)]), **choice))


def row(path: Path, one: Json) -> Row:
    columns = Columns(
        prompt="prompt", length="output_tokens", arrival=ARRIVAL_COLUMN, has_params=True, has_details=True
    )
    return next(Reading(write(path / "log.jsonl", [export([one])]), RowRules(), columns).rows())


def with_events(*events: tuple[str, Json]) -> Json:
    held = [{"name": name, "timeUnixNano": "1", "attributes": attributes(values)} for name, values in events]
    return span(3, **NO_INPUT) | {"events": held}


MESSAGES = [{"role": "user", "parts": [{"type": "text", "content": "question 3"}]}]
WAYS = {
    "JSON text": span(3, **{"gen_ai.input.messages": json.dumps(MESSAGES)}),
    "operation details": with_events(
        ("gen_ai.client.inference.operation.details", {"gen_ai.input.messages": json.dumps(MESSAGES)})
    ),
    "an event a message": with_events(("gen_ai.user.message", {"content": "question 3"})),
    "an event's body": with_events(("gen_ai.user.message", {"gen_ai.event.content": '{"content": "question 3"}'})),
    "one event of all": with_events(
        ("gen_ai.content.prompt", {"gen_ai.prompt": '[{"role": "user", "content": "question 3"}]'})
    ),
    "a text": span(3, **NO_INPUT, **{"gen_ai.operation.name": "text_completion", "gen_ai.prompt": "question 3"}),
    "numbered": span(3, **NO_INPUT, **{"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "question 3"}),
}


@pytest.mark.parametrize("one", WAYS.values(), ids=WAYS)
def test_messages_are_found_where_each_convention_has_them(tmp_path: Path, one: Json) -> None:
    assert row(tmp_path, one).text == "question 3"


def test_instructions_and_parts_of_tools_are_a_chat(tmp_path: Path) -> None:
    called = {"type": "tool_call", "id": "c", "name": "weather", "arguments": {"city": "Paris"}}
    turns = [
        *MESSAGES,
        {"role": "assistant", "parts": [called]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "response": {"sky": "blue"}}]},
    ]
    system = [{"type": "text", "content": "Be brief."}]
    found = row(tmp_path, span(3, **{"gen_ai.input.messages": turns, "gen_ai.system_instructions": system}))
    assert found.text == 'system: Be brief.\n\nuser: question 3\n\ntool: {"sky": "blue"}'
    assert found.messages is not None
    assert found.messages[2]["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city": "Paris"}'}


def test_what_a_ranker_cannot_read_is_no_text(tmp_path: Path) -> None:
    image = {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"}
    turns = [{"role": "user", "parts": [image, {"type": "text", "content": "What is it?"}]}]
    assert row(tmp_path, span(3, **{"gen_ai.input.messages": turns})).text is None


def test_numbers_times_and_names_are_read(tmp_path: Path) -> None:
    found = row(tmp_path, span(3, **{"gen_ai.usage.reasoning.output_tokens": 2, "user.id": "u"}))
    assert (found.output_tokens, found.reasoning_tokens, found.tenant, found.session) == (4, 2, "u", "s3")
    assert (found.arrival_s, found.params) == (1_780_000_003.0, {"max_tokens": "512"})
    assert (found.time_to_first_token_s, found.end_to_end_s) == (0.1, pytest.approx(0.5, abs=1e-6))


def test_spans_can_be_grouped_by_their_traces(tmp_path: Path) -> None:
    spans = [span(n, **{"gen_ai.conversation.id": None}) | {"traceId": f"t{n % 3}"} for n in range(30)]
    log = write(tmp_path / "log.jsonl", [export(spans)])
    assert {*read_length_log(LengthLogSource(lengths=log, group_column="trace_id")).groups} == {"t0", "t1", "t2"}


@pytest.mark.parametrize("operation", ["embeddings", "execute_tool", "invoke_agent", "rerank"])
def test_other_operations_are_counted(tmp_path: Path, operation: str) -> None:
    found = describe(tmp_path, [span(0), span(1, **{"gen_ai.operation.name": operation})])
    assert (found.rows, found.notes[0]) == (1, "1 spans are no answers of an LLM and were left out.")


def test_spans_of_vllm_itself_are_a_served_log_without_prompts(tmp_path: Path) -> None:
    of_vllm = {"gen_ai.usage.completion_tokens": 7, "gen_ai.usage.prompt_tokens": 5, "gen_ai.request.n": 1}
    of_vllm |= {"gen_ai.latency.time_to_first_token": 0.2, "gen_ai.latency.e2e": 0.9, "gen_ai.request.id": "r"}
    one = span(0) | {"name": "llm_request", "attributes": attributes(of_vllm)}
    found = row(tmp_path, one)
    assert (found.output_tokens, found.text, found.request_id) == (7, None, "r")
    assert (found.time_to_first_token_s, found.end_to_end_s) == (0.2, 0.9)
    assert "1 spans hold no prompts; let the instrumentation capture them" in describe(tmp_path, [one]).notes[0]


def test_streams_without_usage_are_counted_by_a_tokenizer(tmp_path: Path) -> None:
    unknown = {"gen_ai.usage.output_tokens": None, "gen_ai.usage.input_tokens": None}
    answer = [{"role": "assistant", "parts": [{"type": "text", "content": said(3)}], "finish_reason": "length"}]
    spans = [span(0, **unknown, **{"gen_ai.output.messages": answer}), span(1, **unknown)]
    spans += [span(2, **unknown, **{"gen_ai.completion.0.content": said(3)})]
    assert describe(tmp_path, spans).left_out == {"no_length": 3}
    found = describe(tmp_path, spans, tokenizer=TOKENIZER)
    assert (found.labelled, found.left_out) == (2, {"no_length": 1})


def test_the_sum_of_several_choices_is_no_length(tmp_path: Path) -> None:
    assert describe(tmp_path, [span(0, **{"gen_ai.request.choice.count": 2})]).left_out == {"no_length": 1}


def test_failures_and_cut_answers_are_told_from_complete_ones(tmp_path: Path) -> None:
    failed = span(0, **{"error.type": "timeout", "gen_ai.usage.output_tokens": None})
    cut = span(1, **{"gen_ai.response.finish_reasons": ["length"]})
    found = describe(tmp_path, [failed, cut, span(2) | {"status": {"code": 2}}])
    assert (found.labelled, found.censored, found.left_out) == (2, 2, {"failed": 1})


def test_names_of_the_proto_files_are_read(tmp_path: Path) -> None:
    one = {"trace_id": "t", "span_id": "s", "start_time_unix_nano": 10**18, "end_time_unix_nano": 10**18 + 10**9}
    one["attributes"] = [
        {"key": "gen_ai.operation.name", "value": {"string_value": "chat"}},
        {"key": "gen_ai.input.messages", "value": {"string_value": json.dumps(MESSAGES)}},
        {"key": "gen_ai.usage.output_tokens", "value": {"int_value": 4}},
    ]
    log = write(tmp_path / "log.jsonl", [{"resource_spans": [{"scope_spans": [{"spans": [one]}]}]}])
    assert describe_log(DescribeConfig(log=log)).labelled == 1


def test_a_span_a_line_is_read(tmp_path: Path) -> None:
    flat = {"gen_ai.operation.name": "chat", "gen_ai.usage.output_tokens": 4}
    flat |= {"gen_ai.input.messages": json.dumps(MESSAGES)}
    printed = {"name": "chat", "context": {"trace_id": "0x1", "span_id": "0x2"}, "attributes": flat}
    printed |= {"start_time": "2026-11-01T00:00:00.000000Z", "end_time": "2026-11-01T00:00:01.000000Z", "events": []}
    found = describe_log(DescribeConfig(log=write(tmp_path / "log.jsonl", [span(0), printed])))
    assert (found.labelled, found.sources) == (2, {"OpenTelemetry": 2})


@pytest.mark.parametrize("broken", [
    {"attributes": None}, {"attributes": [None, {"key": "a"}, {"key": None, "value": None}]}, {"events": [None, {}]},
    {"attributes": attributes({"gen_ai.operation.name": "chat", "gen_ai.input.messages": 7})},
    {"attributes": [{"key": "gen_ai.operation.name", "value": {"arrayValue": {"values": [value_of("chat")]}}}]},
    {"attributes": attributes({"gen_ai.operation.name": "chat", "gen_ai.input.messages": [{"parts": [{}]}, 3]})},
])  # fmt: skip
def test_one_broken_span_costs_no_other(tmp_path: Path, broken: Json) -> None:
    found = describe(tmp_path, [span(0), span(1) | broken, span(2)])
    assert 2 <= found.labelled <= 3
